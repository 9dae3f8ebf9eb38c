export interface OrderLine {
  productId: string;
  quantity: number;
  unitPriceCents: number;
}

/** Returns the total of lines, in cents. Beyond 2^53 - 1, the total is rounded, and beyond still. */
export function totalOf(lines: OrderLine[]): number {
  return lines.reduce((sum, { quantity, unitPriceCents }) => sum + quantity * unitPriceCents, 0);
}

export type OrderPlaced = {
  type: "OrderPlaced";
  data: { customerId: string; lines: OrderLine[]; paymentToken: string | null };
};
export type OrderConfirmed = { type: "OrderConfirmed"; data: Record<string, never> };
export type OrderShipped = { type: "OrderShipped"; data: Record<string, never> };
export type OrderCancelled = { type: "OrderCancelled"; data: { reason: string; lines: OrderLine[] } };

export type OrderEvent = OrderPlaced | OrderConfirmed | OrderShipped | OrderCancelled;
