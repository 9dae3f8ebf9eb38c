import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { Env } from "../http/env.ts";

/**
 * Hono in the Worker's bundle, in the place of `hono` (see `wrangler.jsonc`): with a single router, which needs no
 * preparation. The router that is compiled pays for itself in processes that live long.
 */
export class Hono extends HonoBase<Env> {
  constructor(options: ConstructorParameters<typeof HonoBase<Env>>[0] = {}) {
    super(options);
    this.router = options.router ?? new TrieRouter();
  }
}
