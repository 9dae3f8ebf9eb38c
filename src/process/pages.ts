import { Hono } from "hono";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Env } from "../http/env.ts";

const FILES = { "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript" } as const;

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>CQRS on one Postgres</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script>SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" });</script>
  </body>
</html>
`;

/** The API's documentation to read and try in a browser, from files on this machine. */
export function pages(): Hono<Env> {
  const folder = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  return new Hono<Env>()
    .get("/", (c) => c.redirect("/docs"))
    .get("/docs", (c) => c.html(PAGE))
    .get("/docs/:file{swagger-ui\\.css|swagger-ui-bundle\\.js}", async (c) => {
      const file = c.req.param("file") as keyof typeof FILES;
      c.header("Content-Type", FILES[file]);
      return c.body(await readFile(join(folder, file)));
    });
}
