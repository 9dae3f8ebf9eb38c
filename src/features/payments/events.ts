/** Under the id of the order it is for. */
export type PaymentRequested = {
  type: "PaymentRequested";
  data: { amountCents: number; token: string | null };
};
export type PaymentTaken = { type: "PaymentTaken"; data: { amountCents: number } };
export type PaymentDeclined = { type: "PaymentDeclined"; data: Record<string, never> };
/** Nobody knows whether it was taken. */
export type PaymentTimedOut = { type: "PaymentTimedOut"; data: Record<string, never> };
/** Whatever was taken, or still is going to be, is to be given back. */
export type RefundRequested = { type: "RefundRequested"; data: Record<string, never> };
export type PaymentRefunded = { type: "PaymentRefunded"; data: { amountCents: number } };

export type PaymentEvent =
  | PaymentRequested
  | PaymentTaken
  | PaymentDeclined
  | PaymentTimedOut
  | RefundRequested
  | PaymentRefunded;
