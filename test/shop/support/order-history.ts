import type { OrderEvent } from "../../../src/features/ordering/events.ts";

/** Sample events of an order. */
const lines = [{ productId: "p1", quantity: 1, unitPriceCents: 100 }];

export const placed: OrderEvent = {
  type: "OrderPlaced",
  data: { customerId: "c1", lines, paymentToken: null },
};
export const confirmed: OrderEvent = { type: "OrderConfirmed", data: {} };
export const shipped: OrderEvent = { type: "OrderShipped", data: {} };
export const cancelled: OrderEvent = { type: "OrderCancelled", data: { reason: "changed my mind", lines } };
