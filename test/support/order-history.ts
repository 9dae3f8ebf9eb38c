import type { OrderEvent } from "../../src/features/ordering/events.ts";

/** What may have happened to an order. */
export const placed: OrderEvent = {
  type: "OrderPlaced",
  data: {
    customerId: "c1",
    lines: [{ productId: "p1", quantity: 1, unitPriceCents: 100 }],
    paymentToken: null,
  },
};
export const confirmed: OrderEvent = { type: "OrderConfirmed", data: {} };
export const shipped: OrderEvent = { type: "OrderShipped", data: {} };
export const cancelled: OrderEvent = { type: "OrderCancelled", data: { reason: "changed my mind" } };
