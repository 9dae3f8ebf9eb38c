import { describe, expect, it } from "vitest";
import { rejectOrder } from "../../../src/features/ordering/commands/reject-order.ts";
import { cancelled, confirmed, placed } from "../support/order-history.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

describe("RejectOrder", () => {
  it("cancels a placed order", () => {
    const { data } = cancelled;
    given(placed).when(rejectOrder, { reason: "out-of-stock" })
      .then({ type: "OrderCancelled", data: { ...data, reason: "out-of-stock" } } as typeof cancelled);
  });

  it("comes too late once the order is confirmed or cancelled", () => {
    given(placed, confirmed).when(rejectOrder, { reason: "out-of-stock" }).thenRejected("order-not-placed");
    given(placed, cancelled).when(rejectOrder, { reason: "out-of-stock" }).thenRejected("order-not-placed");
  });

  it("takes one of the shop's reasons", () => {
    expect(refused(rejectOrder, { reason: "payment-declined" })).toEqual([]);
    expect(refused(rejectOrder, { reason: "changed my mind" })).toEqual(["reason"]);
  });
});
