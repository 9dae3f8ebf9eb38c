// Calls the entry for Vercel like Vercel: with a request, and its context where `@vercel/functions` looks.
import { serve } from "@hono/node-server";
import process from "node:process";
import entry from "../../src/vercel/entry.ts";

const context = { waitUntil: (work: Promise<unknown>) => void work };
Object.assign(globalThis, {
  [Symbol.for("@vercel/request-context")]: { get: () => context },
});
serve({
  fetch: entry.fetch,
  hostname: "127.0.0.1",
  port: Number(process.env.PORT),
});
