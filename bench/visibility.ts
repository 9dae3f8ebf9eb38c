import type { Sql } from "postgres";
import { setTimeout } from "node:timers/promises";

const LOOK_AGAIN_MS = 1;

/** Measures the time until products are visible in the read model. */
export interface Visibility {
  /** Watches a product acknowledged just now. Ends when the product is visible. */
  watch(productId: string): Promise<void>;
  /** The times measured until now, in milliseconds. */
  readonly lagsMs: number[];
}

/**
 * Returns a watch from outside, as by a client: the next look comes a millisecond after the last, a single
 * query by primary key for all watched products. The cost is a few hundred cheap queries a second for any
 * number of products, and each lag is too long by a millisecond at most, never too short.
 */
export function createVisibility(sql: Sql): Visibility {
  const watched = new Map<string, { acknowledgedAt: number; seen(): void }>();
  const lagsMs: number[] = [];
  let looking = false;

  async function look() {
    looking = true;
    while (watched.size > 0) {
      const rows = await sql.unsafe(
        "select product_id from read.product_catalog where product_id = any($1::uuid[])",
        [`{${[...watched.keys()].join(",")}}`],
        { prepare: true },
      );
      const now = performance.now();
      for (const { product_id: id } of rows) {
        const { acknowledgedAt, seen } = watched.get(id)!;
        watched.delete(id);
        lagsMs.push(now - acknowledgedAt);
        seen();
      }
      if (watched.size > 0) await setTimeout(LOOK_AGAIN_MS);
    }
    looking = false;
  }

  return {
    lagsMs,
    watch(id) {
      return new Promise((resolve, reject) => {
        watched.set(id, { acknowledgedAt: performance.now(), seen: resolve });
        if (!looking) look().catch(reject);
      });
    },
  };
}
