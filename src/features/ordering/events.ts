export interface OrderLine {
  productId: string;
  quantity: number;
  unitPriceCents: number;
}

export type OrderPlaced = {
  type: "OrderPlaced";
  data: { customerId: string; lines: OrderLine[]; paymentToken: string | null };
};
export type OrderConfirmed = { type: "OrderConfirmed"; data: Record<string, never> };
export type OrderShipped = { type: "OrderShipped"; data: Record<string, never> };
export type OrderCancelled = { type: "OrderCancelled"; data: { reason: string; lines: OrderLine[] } };

export type OrderEvent = OrderPlaced | OrderConfirmed | OrderShipped | OrderCancelled;
