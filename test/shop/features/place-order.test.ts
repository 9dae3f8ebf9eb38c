import { describe, expect, it } from "vitest";
import { placeOrder, type Shop } from "../../../src/features/ordering/commands/place-order.ts";
import { knowing } from "../../support/spec.ts";

const shop: Shop = {
  customerIsKnown: true,
  products: [{ id: "p1", priceCents: 100 }, { id: "p2", priceCents: 0 }],
};

describe("PlaceOrder", () => {
  it("takes the prices of the catalogue, and keeps the order of the lines", () => {
    const lines = [{ productId: "p2", quantity: 1 }, { productId: "p1", quantity: 3 }];
    knowing(shop).when(placeOrder, { customerId: "c1", lines, paymentToken: "visa" }).then({
      type: "OrderPlaced",
      data: {
        customerId: "c1",
        lines: [
          { productId: "p2", quantity: 1, unitPriceCents: 0 },
          { productId: "p1", quantity: 3, unitPriceCents: 100 },
        ],
        paymentToken: "visa",
      },
    });
  });

  it("does without a payment token", () => {
    knowing(shop).when(placeOrder, { customerId: "c1", lines: [{ productId: "p1", quantity: 1 }] }).then({
      type: "OrderPlaced",
      data: {
        customerId: "c1",
        lines: [{ productId: "p1", quantity: 1, unitPriceCents: 100 }],
        paymentToken: null,
      },
    });
  });

  it("is rejected when there is no such customer", () => {
    knowing({ ...shop, customerIsKnown: false })
      .when(placeOrder, { customerId: "c9", lines: [{ productId: "p1", quantity: 1 }] })
      .thenRejected("unknown-customer");
  });

  it("is rejected when one of the products is not in the catalogue", () => {
    const lines = [{ productId: "p1", quantity: 1 }, { productId: "p9", quantity: 1 }];
    knowing(shop).when(placeOrder, { customerId: "c1", lines }).thenRejected("unknown-product");
  });

  it("is rejected when the total would be rounded", () => {
    const dear = { ...shop, products: [{ id: "p1", priceCents: (Number.MAX_SAFE_INTEGER - 1) / 2 }] };
    const order = (quantity: number) => ({ customerId: "c1", lines: [{ productId: "p1", quantity }] });
    knowing(dear).when(placeOrder, order(3)).thenRejected("total-too-large");
    expect(placeOrder.decide(order(2), dear)).toHaveLength(1);
  });

  it("names what is missing", () => {
    const lines = [{ productId: "p9", quantity: 1 }];
    expect(() => placeOrder.decide({ customerId: "c1", lines }, shop)).toThrow("p9");
    expect(() => placeOrder.decide({ customerId: "c1", lines }, { ...shop, customerIsKnown: false })).toThrow(
      "c1",
    );
  });
});
