import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { CommandInProgress, VersionConflict } from "../../errors.ts";
import type { Handler } from "../../relay/handlers/handler.ts";
import { answering } from "../../relay/handlers/process-manager.ts";
import type { Timer } from "../../relay/handlers/timer.ts";
import { aggregateId, type RecordedEvent } from "../../write/event.ts";
import { recordPayment } from "./commands/record-payment.ts";
import { recordRefund } from "./commands/record-refund.ts";
import { timeOutPayment } from "./commands/time-out-payment.ts";
import type { PaymentEvent } from "./events.ts";
import type { PaymentGateway } from "./gateway.ts";
import { payment } from "./payment.ts";

const TIMED_OUT_AT_ONCE_MAX = 100;
/** About two hours with the back-off, beyond the time limit: no refund waits behind a parked request. */
const ATTEMPTS_MAX = 120;

/** Returns the handler of payments and refunds: asks the gateway, and records the answers. */
export function collectPayments(db: Database, gateway: PaymentGateway): Handler {
  return {
    name: "payments",
    kind: "gateway",
    attemptsMax: ATTEMPTS_MAX,
    concerns: ({ type }) => type === "PaymentRequested" || type === "RefundRequested",
    async handle(event, signal) {
      const id = aggregateId(event);
      const send = answering(db, "payments", event);
      if (event.type === "RefundRequested") {
        const { amountCents } = await gateway.refund({ id }, signal);
        await send(recordRefund, { id, input: { amountCents } });
      } else if (await isRequested(db, id)) {
        const { data } = event as RecordedEvent<PaymentEvent & { type: "PaymentRequested" }>;
        const outcome = await gateway.take({ id, ...data }, signal);
        await send(recordPayment, { id, input: { outcome } });
      }
    },
  };
}

/** Returns false if the order was cancelled meanwhile: the refund must not wait for a silent gateway. */
async function isRequested(db: Database, id: string): Promise<boolean> {
  return (await payment.load(db, id).executeTakeFirst())?.status === "requested";
}

function isRival(error: unknown): boolean {
  return error instanceof CommandInProgress || error instanceof VersionConflict;
}

/** Returns the timer of unanswered payments: gives up on payments without an answer in time. */
export function timeOutPayments(db: Database): Timer {
  return {
    name: "payments",
    async fire() {
      const late = await db.selectFrom("write.payments as payment")
        .innerJoin(
          "write.events as request",
          (join) =>
            join.on("request.stream", "=", sql`'payment-' || payment.order_id`).on("request.version", "=", 1),
        )
        .select(["payment.order_id as orderId", "request.id", "request.metadata"])
        .where("payment.status", "=", "requested").where("answer_due_at", "<=", sql<Date>`clock_timestamp()`)
        .orderBy("answer_due_at").limit(TIMED_OUT_AT_ONCE_MAX).execute();
      const given = late.map(({ orderId, ...request }) =>
        answering(db, "payments", request)(timeOutPayment, { id: orderId, input: {} })
      );
      // A failure does not stop the others. A conflict means another relay at the same work.
      for (const result of await Promise.allSettled(given)) {
        if (result.status === "rejected" && !isRival(result.reason)) throw result.reason;
      }
    },
  };
}
