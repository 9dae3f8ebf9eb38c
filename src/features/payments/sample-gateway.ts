import { type Generated, sql } from "kysely";
import type { Database } from "../../database/database.ts";
import type { PaymentGateway } from "./gateway.ts";

/** Returns a gateway to try the shop: declines tokens beginning with `declined`, and stores the charges. */
export function sampleGateway(db: Database): PaymentGateway {
  return {
    async take({ id, amountCents, token }) {
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

declare module "../../database/database.ts" {
  interface Tables {
    "write.sample_charges": { payment_id: string; amount_cents: number; refunded_cents: Generated<number> };
  }
}
