import * as z from "zod/mini";

const milliseconds = z.coerce.number("is not a number")
  .check(z.int("is not a whole number"), z.minimum(0, "is negative"));

/** The settings of payments: the time in which the gateway must have been asked for an order's payment. */
export const paymentSettings = z.object({ PAYMENT_ASK_WITHIN_MS: z._default(milliseconds, 900_000) });

export type PaymentSettings = z.output<typeof paymentSettings>;
