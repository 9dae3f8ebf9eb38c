import { describe, expect, it } from "vitest";
import { releaseStock } from "../../../src/features/inventory/commands/release-stock.ts";
import type { StockEvent } from "../../../src/features/inventory/events.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

const received: StockEvent = { type: "StockReceived", data: { quantity: 5 } };
const reserved: StockEvent = { type: "StockReserved", data: { orderId: "o1", quantity: 2 } };
const released: StockEvent = { type: "StockReleased", data: { orderId: "o1", quantity: 2 } };

describe("ReleaseStock", () => {
  it("gives back what was set aside for the order", () => {
    given(received, reserved).when(releaseStock, { orderId: "o1" }).then(released);
  });

  it("is remembered when nothing was set aside", () => {
    const nothing: StockEvent = { type: "StockReleased", data: { orderId: "o2", quantity: 0 } };
    given(received, reserved).when(releaseStock, { orderId: "o2" }).then(nothing);
    given().when(releaseStock, { orderId: "o2" }).then(nothing);
    given(received, nothing).when(releaseStock, { orderId: "o2" }).then();
  });

  it("changes nothing the second time", () => {
    given(received, reserved, released).when(releaseStock, { orderId: "o1" }).then();
  });

  it("takes an order's id, and nothing else", () => {
    const orderId = "01990000-0000-7000-8000-000000000001";
    expect(refused(releaseStock, { orderId })).toEqual([]);
    expect(refused(releaseStock, {})).toEqual(["orderId"]);
    expect(refused(releaseStock, { orderId, quantity: 1 })).toEqual([""]);
  });
});
