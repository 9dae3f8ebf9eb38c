import { Hono } from "hono";
import type { Env } from "./env.ts";

const TYPES = { "swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript" } as const;

/** A file of the package `swagger-ui-dist`. */
export type DocsFile = keyof typeof TYPES;

/** A file to be sent, with further headers. Without a body, the client's copy is still good: 304. */
export interface SentFile {
  body: Uint8Array<ArrayBuffer> | ReadableStream | null;
  headers: Record<string, string>;
}

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
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs" });\n`;

/** Only files and answers of this host, nothing inline, and no frame around. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Clients keep the files for a day, and ask then whether their copies are still good. */
const CACHED = { "Cache-Control": "public, max-age=86400" };

/** The API's documentation to read and try in a browser, without files from other hosts. */
export function docsPage(read: (file: DocsFile, request: Request) => Promise<SentFile>): Hono<Env> {
  return new Hono<Env>()
    .get("/", (c) => c.redirect("/docs"))
    .get("/docs", (c) => {
      c.header("Content-Security-Policy", POLICY);
      return c.html(PAGE);
    })
    .get("/docs/start.js", (c) => c.body(START, 200, { ...CACHED, "Content-Type": "text/javascript" }))
    .get("/docs/:file{swagger-ui\\.css|swagger-ui-bundle\\.js}", async (c) => {
      const file = c.req.param("file") as DocsFile;
      const { body, headers } = await read(file, c.req.raw);
      const status = body === null ? 304 : 200;
      return c.newResponse(body, status, { ...CACHED, "Content-Type": TYPES[file], ...headers });
    });
}
