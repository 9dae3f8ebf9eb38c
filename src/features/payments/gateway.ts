/** The service for taking the customers' money. */
export interface PaymentGateway {
  /**
   * Takes the money of a payment. A repetition for the same payment has the same outcome and takes nothing
   * more. After a refund, takes nothing.
   */
  take(
    payment: { id: string; amountCents: number; token: string | null },
    signal: AbortSignal,
  ): Promise<Outcome>;
  /** Gives back the money taken for a payment, and returns the amount: 0 if nothing was taken. */
  refund(payment: { id: string }, signal: AbortSignal): Promise<{ amountCents: number }>;
}

export type Outcome = "taken" | "declined";
