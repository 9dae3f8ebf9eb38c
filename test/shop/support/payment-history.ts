import type { PaymentEvent } from "../../../src/features/payments/events.ts";

/** Sample events of a payment. */
export const requested: PaymentEvent = {
  type: "PaymentRequested",
  data: { amountCents: 900, token: "visa" },
};
export const asked: PaymentEvent = { type: "PaymentAsked", data: {} };
export const notAsked: PaymentEvent = { type: "PaymentNotAsked", data: {} };
export const taken: PaymentEvent = { type: "PaymentTaken", data: { amountCents: 900 } };
export const declined: PaymentEvent = { type: "PaymentDeclined", data: {} };
export const timedOut: PaymentEvent = { type: "PaymentTimedOut", data: {} };
export const refundRequested: PaymentEvent = { type: "RefundRequested", data: {} };
export const refunded: PaymentEvent = { type: "PaymentRefunded", data: { amountCents: 900 } };
