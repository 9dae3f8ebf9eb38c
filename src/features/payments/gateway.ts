/** Who takes the customers' money. */
export interface PaymentGateway {
  /**
   * Takes the money of a payment. Asked again for the same payment, it answers the same and takes nothing more. Once
   * the payment was refunded, it takes nothing.
   */
  take(
    payment: { id: string; amountCents: number; token: string | null },
    signal: AbortSignal,
  ): Promise<Outcome>;
  /** Gives back what was taken for a payment, and answers how much that is: 0 when nothing was. */
  refund(payment: { id: string }, signal: AbortSignal): Promise<{ amountCents: number }>;
}

export type Outcome = "taken" | "declined";
