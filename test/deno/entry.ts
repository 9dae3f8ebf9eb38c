import process from "node:process";
import { createEdge } from "../../src/edge/edge.ts";
import { pages } from "../../src/process/pages.ts";
import { app } from "../jars/app.ts";

const edge = createEdge({ app, variables: process.env, keepsConnections: true, pages });

/** Serves the jars like `src/deno/entry.ts`. */
export default { fetch: (request: Request) => edge.fetch(request, () => {}) };
