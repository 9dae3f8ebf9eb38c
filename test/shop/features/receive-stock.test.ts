import { describe, expect, it } from "vitest";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import type { StockEvent } from "../../../src/features/inventory/events.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

const received: StockEvent = { type: "StockReceived", data: { quantity: 5 } };

describe("ReceiveStock", () => {
  it("begins the stock with the first delivery", () => {
    given().when(receiveStock, { quantity: 5 }).then(received);
  });

  it("says what has arrived, not what there is", () => {
    given(received, received).when(receiveStock, { quantity: 5 }).then(received);
  });

  it("takes 1 to 100,000 whole pieces, and nothing else", () => {
    for (const quantity of [1, 100_000]) expect(refused(receiveStock, { quantity })).toEqual([]);
    for (const quantity of [0, -1, 100_001, 1.5, "5", null]) {
      expect(refused(receiveStock, { quantity })).toEqual(["quantity"]);
    }
    expect(refused(receiveStock, { quantity: 1, orderId: "o1" })).toEqual([""]);
  });
});
