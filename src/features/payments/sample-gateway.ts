import { type Generated, sql } from "kysely";
import { sleep } from "../../sleep.ts";
import type { Database } from "../../database/database.ts";
import type { PaymentGateway } from "./gateway.ts";

/** The longest time a timer can wait. */
const HANGS_MS = 2 ** 31 - 1;

/**
 * Returns a gateway to try the shop, with books in the database. Tokens beginning with `declined` are declined,
 * `hangs` is never answered, `slow-<ms>` is answered after the milliseconds, and all others at once.
 */
export function sampleGateway(db: Database): PaymentGateway {
  return {
    async take({ id, amountCents, token }, signal) {
      await sleep(silenceMsOf(token), signal);
      signal.throwIfAborted();
      const amount = token?.startsWith("declined") ? 0 : amountCents;
      await db.insertInto("write.sample_charges").values({ payment_id: id, amount_cents: amount })
        .onConflict((conflict) => conflict.doNothing()).execute();
      return token?.startsWith("declined") ? "declined" : "taken";
    },
    async refund({ id }) {
      // A charge of 0 blocks a late `take`.
      const { amountCents } = await db.insertInto("write.sample_charges")
        .values({ payment_id: id, amount_cents: 0, refunded_cents: 0 })
        .onConflict((conflict) =>
          conflict.column("payment_id").doUpdateSet({
            refunded_cents: sql<number>`sample_charges.amount_cents`,
          })
        )
        .returning("refunded_cents as amountCents").executeTakeFirstOrThrow();
      return { amountCents };
    },
  };
}

/** Returns the time before the answer: about a month for a gateway that hangs. */
function silenceMsOf(token: string | null): number {
  const [, ms = 0] = /^slow-(\d{1,9})/.exec(token ?? "") ?? [];
  return token?.startsWith("hangs") ? HANGS_MS : Number(ms);
}

declare module "../../database/database.ts" {
  interface Tables {
    "write.sample_charges": { payment_id: string; amount_cents: number; refunded_cents: Generated<number> };
  }
}
