import { describe, expect, it } from "vitest";
import { confirmOrder } from "../../../src/features/ordering/commands/confirm-order.ts";
import { cancelled, confirmed, placed, shipped } from "../support/order-history.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

describe("ConfirmOrder", () => {
  it("confirms a placed order", () => {
    given(placed).when(confirmOrder, {}).then(confirmed);
  });

  it("changes nothing the second time", () => {
    given(placed, confirmed).when(confirmOrder, {}).then();
  });

  it("is rejected once the order is cancelled", () => {
    given(placed, cancelled).when(confirmOrder, {}).thenRejected("order-not-placed");
  });

  it("changes nothing once the order is shipped: it has been confirmed before", () => {
    given(placed, confirmed, shipped).when(confirmOrder, {}).then();
  });

  it("takes no input", () => {
    expect(refused(confirmOrder, {})).toEqual([]);
    expect(refused(confirmOrder, { force: true })).toEqual([""]);
  });
});
