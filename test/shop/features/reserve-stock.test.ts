import { describe, expect, it } from "vitest";
import { reserveStock } from "../../../src/features/inventory/commands/reserve-stock.ts";
import type { StockEvent } from "../../../src/features/inventory/events.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

const received: StockEvent = { type: "StockReceived", data: { quantity: 5 } };
const reserved = (orderId: string, quantity: number): StockEvent => ({
  type: "StockReserved",
  data: { orderId, quantity },
});
const released = (orderId: string, quantity: number): StockEvent => ({
  type: "StockReleased",
  data: { orderId, quantity },
});

describe("ReserveStock", () => {
  it("sets pieces aside for an order", () => {
    given(received).when(reserveStock, { orderId: "o1", quantity: 2 }).then(reserved("o1", 2));
  });

  it("gives away the last piece", () => {
    given(received, reserved("o1", 2)).when(reserveStock, { orderId: "o2", quantity: 3 }).then(
      reserved("o2", 3),
    );
  });

  it("is rejected when fewer are left", () => {
    given(received, reserved("o1", 3)).when(reserveStock, { orderId: "o2", quantity: 3 }).thenRejected(
      "insufficient-stock",
    );
  });

  it("is rejected before the first delivery", () => {
    given().when(reserveStock, { orderId: "o1", quantity: 1 }).thenRejected("insufficient-stock");
  });

  it("changes nothing the second time, whatever the quantity", () => {
    given(received, reserved("o1", 5)).when(reserveStock, { orderId: "o1", quantity: 4 }).then();
  });

  it("is rejected for an order whose pieces were released, also when there were none", () => {
    given(received, reserved("o1", 2), released("o1", 2)).when(reserveStock, { orderId: "o1", quantity: 2 })
      .thenRejected("reservation-released");
    given(received, released("o1", 0)).when(reserveStock, { orderId: "o1", quantity: 2 })
      .thenRejected("reservation-released");
  });

  it("can promise again what was released", () => {
    given(received, reserved("o1", 5), released("o1", 5)).when(reserveStock, { orderId: "o2", quantity: 5 })
      .then(reserved("o2", 5));
  });

  it("takes an order's id and 1 to 100,000 whole pieces, and nothing else", () => {
    const orderId = "01990000-0000-7000-8000-000000000001";
    for (const quantity of [1, 100_000]) expect(refused(reserveStock, { orderId, quantity })).toEqual([]);
    for (const quantity of [0, 100_001, 0.1]) {
      expect(refused(reserveStock, { orderId, quantity })).toEqual(["quantity"]);
    }
    expect(refused(reserveStock, { orderId: "o1", quantity: 1 })).toEqual(["orderId"]);
    expect(refused(reserveStock, { orderId, quantity: 1, force: true })).toEqual([""]);
  });
});
