import type { ProcessManager } from "../../relay/handlers/process-manager.ts";
import { aggregateId } from "../../write/event.ts";
import { releaseStock } from "../inventory/commands/release-stock.ts";
import { reserveStock } from "../inventory/commands/reserve-stock.ts";
import { confirmOrder } from "../ordering/commands/confirm-order.ts";
import { rejectOrder } from "../ordering/commands/reject-order.ts";
import { type OrderEvent, totalOf } from "../ordering/events.ts";
import { refundPayment } from "../payments/commands/refund-payment.ts";
import { requestPayment } from "../payments/commands/request-payment.ts";
import type { PaymentEvent } from "../payments/events.ts";

/**
 * Leads a placed order to confirmation: reserves the stock, requests the payment, confirms. A cancellation,
 * by anybody and at any time, releases the stock and refunds the payment.
 */
export const fulfilment: ProcessManager<OrderEvent | PaymentEvent> = {
  name: "fulfilment",
  reactions: {
    async OrderPlaced(event, send) {
      const id = aggregateId(event);
      const { lines, paymentToken: token } = event.data;
      for (const { productId, quantity } of lines) {
        const rejected = await send(reserveStock, { id: productId, input: { orderId: id, quantity } });
        if (rejected) return void await send(rejectOrder, { id, input: { reason: "out-of-stock" } });
      }
      const rejected = await send(requestPayment, { id, input: { amountCents: totalOf(lines), token } });
      if (rejected === "number-too-large") {
        await send(rejectOrder, { id, input: { reason: "total-too-large" } });
      }
    },

    async PaymentTaken(event, send) {
      const id = aggregateId(event);
      const rejected = await send(confirmOrder, { id, input: {} });
      if (rejected) await send(refundPayment, { id, input: {} });
    },

    async PaymentDeclined(event, send) {
      await send(rejectOrder, { id: aggregateId(event), input: { reason: "payment-declined" } });
    },

    async PaymentTimedOut(event, send) {
      await send(rejectOrder, { id: aggregateId(event), input: { reason: "payment-timed-out" } });
    },

    async PaymentNotAsked(event, send) {
      await send(rejectOrder, { id: aggregateId(event), input: { reason: "payment-not-asked" } });
    },

    async OrderCancelled(event, send) {
      const id = aggregateId(event);
      for (const { productId } of event.data.lines) {
        await send(releaseStock, { id: productId, input: { orderId: id } });
      }
      await send(refundPayment, { id, input: {} });
    },
  },
};
