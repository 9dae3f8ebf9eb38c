// Calls the entry for Vercel as Vercel does: with a request, and with the request's context where its package looks for it.
import { serve } from "@hono/node-server";
import process from "node:process";
import entry from "../../src/vercel.ts";

const context = { waitUntil: (work: Promise<unknown>) => void work };
Object.assign(globalThis, { [Symbol.for("@vercel/request-context")]: { get: () => context } });
serve({ fetch: entry.fetch, hostname: "127.0.0.1", port: Number(process.env.PORT) });
