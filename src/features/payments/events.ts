/** The first event of a payment, under the id of the order. */
export type PaymentRequested = {
  type: "PaymentRequested";
  data: { amountCents: number; token: string | null };
};
/** The gateway is about to be asked for the first time: the time limit for the answer begins. */
export type PaymentAsked = { type: "PaymentAsked"; data: Record<string, never> };
/** The gateway could not be asked in time, and will not be asked any more. */
export type PaymentNotAsked = { type: "PaymentNotAsked"; data: Record<string, never> };
export type PaymentTaken = { type: "PaymentTaken"; data: { amountCents: number } };
export type PaymentDeclined = { type: "PaymentDeclined"; data: Record<string, never> };
/** No answer came in time: the money may be taken or not. */
export type PaymentTimedOut = { type: "PaymentTimedOut"; data: Record<string, never> };
/** The gateway must give back any money taken, even later. */
export type RefundRequested = { type: "RefundRequested"; data: Record<string, never> };
export type PaymentRefunded = { type: "PaymentRefunded"; data: { amountCents: number } };

export type PaymentEvent =
  | PaymentRequested
  | PaymentAsked
  | PaymentNotAsked
  | PaymentTaken
  | PaymentDeclined
  | PaymentTimedOut
  | RefundRequested
  | PaymentRefunded;
