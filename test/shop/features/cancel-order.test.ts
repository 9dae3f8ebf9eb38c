import { describe, expect, it } from "vitest";
import { cancelOrder } from "../../../src/features/ordering/commands/cancel-order.ts";
import { cancelled, confirmed, placed, shipped } from "../support/order-history.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

describe("CancelOrder", () => {
  it("cancels a placed order", () => {
    given(placed).when(cancelOrder, { reason: "changed my mind" }).then(cancelled);
  });

  it("cancels a confirmed order", () => {
    given(placed, confirmed).when(cancelOrder, { reason: "changed my mind" }).then(cancelled);
  });

  it("is rejected once the order is shipped", () => {
    given(placed, confirmed, shipped).when(cancelOrder, { reason: "late" }).thenRejected(
      "order-not-cancellable",
    );
  });

  it("is rejected the second time", () => {
    given(placed, cancelled).when(cancelOrder, { reason: "again" }).thenRejected("order-not-cancellable");
  });

  it("takes a reason of 1 to 500 characters, and nothing else", () => {
    expect(refused(cancelOrder, { reason: "x".repeat(500) })).toEqual([]);
    for (const reason of ["", "  ", "x".repeat(501), null, undefined]) {
      expect(refused(cancelOrder, { reason })).toEqual(["reason"]);
    }
    expect(refused(cancelOrder, { reason: "late", refund: true })).toEqual([""]);
  });
});
