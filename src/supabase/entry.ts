import process from "node:process";
import { app } from "../app.ts";
import { createEdge, type Defer } from "../edge/edge.ts";

interface Supabase {
  EdgeRuntime: { waitUntil: Defer };
  Deno: { serve(answer: (request: Request) => Promise<Response>): unknown };
}
const { EdgeRuntime, Deno } = globalThis as unknown as Supabase;

/** Supabase gives every function the URL of the project's database. */
const variables = { ...process.env, DATABASE_URL: process.env.DATABASE_URL ?? process.env.SUPABASE_DB_URL };
const edge = createEdge({ app, variables, keepsConnections: true });

/** Clients' paths have this prefix before the function's name; the function's paths begin with the name. */
const MOUNTED_AT = "/functions/v1";

Deno.serve(async (request) => {
  const [, name, path] = /^(\/[^/]*)(.*)/.exec(new URL(request.url).pathname)!;
  const url = new URL(`${path || "/"}${new URL(request.url).search}`, request.url);
  const { body, status, headers } = await edge.fetch(
    new Request(url, request),
    (work) => EdgeRuntime.waitUntil(work),
  );
  const answered = new Headers(headers);
  const location = answered.get("Location");
  if (location) answered.set("Location", MOUNTED_AT + name + location);
  return new Response(body, { status, headers: answered });
});
