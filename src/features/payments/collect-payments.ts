import { sql } from "kysely";
import type { Database } from "../../database/database.ts";
import { CommandInProgress, CommandRejected, VersionConflict } from "../../errors.ts";
import type { Handler } from "../../relay/handlers/handler.ts";
import { answering } from "../../relay/handlers/process-manager.ts";
import type { Timer } from "../../relay/handlers/timer.ts";
import { aggregateId, type RecordedEvent } from "../../write/event.ts";
import { execute } from "../../write/execute.ts";
import { askForPayment } from "./commands/ask-for-payment.ts";
import { giveUpPayment } from "./commands/give-up-payment.ts";
import { recordPayment } from "./commands/record-payment.ts";
import { recordRefund } from "./commands/record-refund.ts";
import { timeOutPayment } from "./commands/time-out-payment.ts";
import type { PaymentEvent } from "./events.ts";
import type { PaymentGateway } from "./gateway.ts";

const NAME = "payments";
/** The gateway's limit for calls at once. */
const CALLS_AT_ONCE_MAX = 100;
const ASK_WITHIN_MS = 900_000;
const TIMED_OUT_AT_ONCE_MAX = 100;
/** About two hours with the back-off, beyond the time limit: no refund waits behind a parked request. */
const ATTEMPTS_MAX = 120;

/** Returns the handler of payments and refunds: asks the gateway, and records the answers. */
export function collectPayments(db: Database, gateway: PaymentGateway): Handler {
  return {
    name: NAME,
    kind: "gateway",
    attemptsMax: ATTEMPTS_MAX,
    types: ["PaymentRequested", "RefundRequested"],
    concurrency: CALLS_AT_ONCE_MAX,
    async handle(event, signal) {
      const id = aggregateId(event);
      const send = answering(db, NAME, event);
      if (event.type === "RefundRequested") {
        const { amountCents } = await gateway.refund({ id }, signal);
        const rejected = await send(recordRefund, { id, input: { amountCents } });
        // Retried, and parked at last: an operator has to compare the books.
        if (rejected) throw new Error(`Cannot record a refund of ${amountCents} cents: ${rejected}`);
      } else if (await mayAsk(db, event)) {
        const { data } = event as RecordedEvent<PaymentEvent & { type: "PaymentRequested" }>;
        const outcome = await gateway.take({ id, ...data }, signal);
        await send(recordPayment, { id, input: { outcome } });
      }
    },
  };
}

/** Returns false if nothing is to be asked any more: the refund must not wait for a silent gateway. */
async function mayAsk(db: Database, { id, stream, metadata }: RecordedEvent): Promise<boolean> {
  // Without an idempotency key: every try looks at the present state.
  const context = { caller: NAME, correlationId: metadata.correlationId, causationId: id };
  try {
    await execute(db, askForPayment, { id: aggregateId({ stream }), input: {} }, context);
    return true;
  } catch (error) {
    if (error instanceof CommandRejected) return false;
    throw error;
  }
}

function isRival(error: unknown): boolean {
  return error instanceof CommandInProgress || error instanceof VersionConflict;
}

/**
 * Returns the timer of payments: gives up on payments without an answer a minute after the gateway was asked, and
 * on payments not asked for within `askWithinMs` of the request.
 */
export function timeOutPayments(db: Database, askWithinMs = ASK_WITHIN_MS): Timer {
  return {
    name: NAME,
    async fire() {
      const askDueAt = sql<Date>`requested_at + ${askWithinMs} * interval '1 millisecond'`;
      const late = await db.selectFrom("write.payments as payment")
        .innerJoin(
          "write.events as request",
          (join) =>
            join.on("request.stream", "=", sql`'payment-' || payment.order_id`).on("request.version", "=", 1),
        )
        .select(["payment.order_id as orderId", "payment.answer_due_at as answerDueAt"])
        .select(["request.id", "request.metadata"])
        .where("payment.status", "=", "requested")
        .where(({ fn }) => sql<boolean>`${fn.coalesce("answer_due_at", askDueAt)} <= clock_timestamp()`)
        .orderBy("requested_at").limit(TIMED_OUT_AT_ONCE_MAX).execute();
      const given = late.map(({ orderId, answerDueAt, ...request }) =>
        answering(db, NAME, request)(answerDueAt === null ? giveUpPayment : timeOutPayment, {
          id: orderId,
          input: {},
        })
      );
      // A failure does not stop the others. A conflict means another relay at the same work.
      for (const result of await Promise.allSettled(given)) {
        if (result.status === "rejected" && !isRival(result.reason)) throw result.reason;
      }
    },
  };
}
