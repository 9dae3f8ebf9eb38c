import { describe, expect, it } from "vitest";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { refused } from "../../support/refused.ts";

const customerId = "01990000-0000-7000-8000-000000000001";
const idOf = (number: number) => `01990000-0000-7000-8000-${number.toString(16).padStart(12, "0")}`;
const linesOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ productId: idOf(index), quantity: 1 }));
const lines = linesOf(1);

describe("PlaceOrder's input", () => {
  it("has 1 to 100 lines", () => {
    for (const count of [1, 100]) {
      expect(refused(placeOrder, { customerId, lines: linesOf(count) })).toEqual([]);
    }
    for (const lines of [[], linesOf(101), undefined, {}]) {
      expect(refused(placeOrder, { customerId, lines })).toEqual(["lines"]);
    }
  });

  it("has each product once, whatever the case of its id", () => {
    const productId = idOf(0xabc);
    const twice = [{ productId, quantity: 1 }, ...lines, { productId, quantity: 2 }];
    expect(refused(placeOrder, { customerId, lines: twice })).toEqual(["lines.2.productId"]);
    const shouted = [{ productId, quantity: 1 }, { productId: productId.toUpperCase(), quantity: 1 }];
    expect(refused(placeOrder, { customerId, lines: shouted })).toEqual(["lines.1.productId"]);
  });

  it("has 1 to 100,000 whole pieces in a line", () => {
    for (const quantity of [1, 100_000]) {
      expect(refused(placeOrder, { customerId, lines: [{ productId: idOf(1), quantity }] })).toEqual([]);
    }
    for (const quantity of [0, -1, 100_001, 1.5, "1"]) {
      expect(refused(placeOrder, { customerId, lines: [{ productId: idOf(1), quantity }] })).toEqual([
        "lines.0.quantity",
      ]);
    }
  });

  it("has no prices", () => {
    const priced = [{ productId: idOf(1), quantity: 1, unitPriceCents: 1 }];
    expect(refused(placeOrder, { customerId, lines: priced })).toEqual(["lines.0"]);
    expect(refused(placeOrder, { customerId, lines, totalCents: 1 })).toEqual([""]);
  });

  it("has ids that are UUIDs", () => {
    expect(refused(placeOrder, { customerId: "ada", lines })).toEqual(["customerId"]);
    expect(refused(placeOrder, { id: "1", customerId, lines })).toEqual(["id"]);
    expect(refused(placeOrder, { customerId, lines: [{ productId: "lamp", quantity: 1 }] })).toEqual([
      "lines.0.productId",
    ]);
  });

  it("has a payment token of 1 to 200 characters, or none", () => {
    expect(refused(placeOrder, { customerId, lines, paymentToken: "x".repeat(200) })).toEqual([]);
    for (const paymentToken of ["", "x".repeat(201), null, 7]) {
      expect(refused(placeOrder, { customerId, lines, paymentToken })).toEqual(["paymentToken"]);
    }
  });
});
