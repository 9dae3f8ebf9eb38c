import { sql } from "kysely";
import { app } from "../../../src/app.ts";
import { cancelOrder } from "../../../src/features/ordering/commands/cancel-order.ts";
import { exact } from "../../../src/read/exact.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../../src/relay/relay.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import type { TestDatabase } from "../../support/database.ts";
import { makeDue } from "../../support/handlers.ts";

/** Creates a relay for the shop's handlers, or for the given handlers instead. */
export function shopRelay(test: TestDatabase, given = app.handlers(test.command)): Relay {
  const subscriptions = given.map(subscribeHandler);
  return createRelay({ db: test.relay, subscriptions, timers: app.timers(test.command) });
}

/** Drains, with all retries due at once. */
export async function drainWhatIsDue(test: TestDatabase, relay: Relay): Promise<void> {
  await makeDue(test);
  await drain(relay, 10_000);
}

/** Cancels an order for the customer. */
export async function cancel(test: TestDatabase, id: string): Promise<void> {
  await execute(test.command, cancelOrder, { id, input: { reason: "changed my mind" } }, anybody);
}

/** Ends the time limit of every payment without an answer of the gateway. */
export async function passTimeLimit(test: TestDatabase): Promise<void> {
  await sql`update write.payments set answer_due_at = clock_timestamp() where status = 'requested'`.execute(
    test.owner,
  );
}

/** Returns an order's progress, read from the definition instead of the read model's table. */
export async function progressOf(test: TestDatabase, id: string) {
  return await test.owner.selectFrom("read.order_progress_source" as "read.order_progress")
    .select(["status", "reason", "payment", "refunded_cents"]).select(
      exact("reserved_pieces").as("reserved_pieces"),
    )
    .where("order_id", "=", id)
    .executeTakeFirstOrThrow();
}

/** Returns the sum of the gateway's charges for the orders minus refunds, in cents. */
export async function takenFor(test: TestDatabase, ids: string[]): Promise<number> {
  const charges = await test.owner.selectFrom("write.sample_charges").selectAll().where(
    "payment_id",
    "in",
    ids,
  )
    .execute();
  return charges.reduce((sum, { amount_cents, refunded_cents }) => sum + amount_cents - refunded_cents, 0);
}
