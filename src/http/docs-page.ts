import { Hono } from "hono";
import type { Env } from "./env.ts";

const TYPES = { "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript" } as const;

/** A file of the package `swagger-ui-dist`. */
export type DocsFile = keyof typeof TYPES;

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

/** The API's documentation to read and try in a browser, without files from other hosts. */
export function docsPage(read: (file: DocsFile) => Promise<BodyInit>): Hono<Env> {
  return new Hono<Env>()
    .get("/", (c) => c.redirect("/docs"))
    .get("/docs", (c) => c.html(PAGE))
    .get("/docs/:file{swagger-ui\\.css|swagger-ui-bundle\\.js}", async (c) => {
      const file = c.req.param("file") as DocsFile;
      return new Response(await read(file), { headers: { "Content-Type": TYPES[file] } });
    });
}
