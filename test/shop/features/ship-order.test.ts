import { describe, expect, it } from "vitest";
import { shipOrder } from "../../../src/features/ordering/commands/ship-order.ts";
import { cancelled, confirmed, placed, shipped } from "../support/order-history.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

describe("ShipOrder", () => {
  it("ships a confirmed order", () => {
    given(placed, confirmed).when(shipOrder, {}).then(shipped);
  });

  it("is rejected before the order is confirmed", () => {
    given(placed).when(shipOrder, {}).thenRejected("order-not-confirmed");
  });

  it("is rejected the second time", () => {
    given(placed, confirmed, shipped).when(shipOrder, {}).thenRejected("order-not-confirmed");
  });

  it("is rejected once the order is cancelled", () => {
    given(placed, confirmed, cancelled).when(shipOrder, {}).thenRejected("order-not-confirmed");
  });

  it("takes no input", () => {
    expect(refused(shipOrder, {})).toEqual([]);
    expect(refused(shipOrder, { carrier: "owl" })).toEqual([""]);
  });
});
