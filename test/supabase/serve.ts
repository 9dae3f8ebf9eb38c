// Runs the entry for Supabase on Deno, like Supabase. Only `EdgeRuntime` is not part of Deno.
import process from "node:process";

Object.assign(globalThis, {
  EdgeRuntime: { waitUntil: (work: Promise<unknown>) => void work },
});
process.env.DENO_SERVE_ADDRESS = `tcp:127.0.0.1:${process.env.PORT}`;
await import("../../src/supabase/entry.ts");
