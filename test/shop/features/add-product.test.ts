import { describe, expect, it } from "vitest";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { refused } from "../../support/refused.ts";
import { knowing } from "../../support/spec.ts";

describe("AddProduct", () => {
  it("adds a product with its name and price", () => {
    knowing(null).when(addProduct, { name: "Desk lamp", priceCents: 4_900 }).then({
      type: "ProductAdded",
      data: { name: "Desk lamp", priceCents: 4_900 },
    });
  });

  it("leaves the id to the stream", () => {
    knowing(null).when(addProduct, { id: "p1", name: "Gift", priceCents: 0 }).then({
      type: "ProductAdded",
      data: { name: "Gift", priceCents: 0 },
    });
  });

  it("takes a name of 1 to 200 characters, without the blanks around it", () => {
    expect(addProduct.input.parse({ name: "  lamp ", priceCents: 1 })).toEqual({
      name: "lamp",
      priceCents: 1,
    });
    expect(refused(addProduct, { name: "x".repeat(200), priceCents: 1 })).toEqual([]);
    expect(refused(addProduct, { name: "x".repeat(201), priceCents: 1 })).toEqual(["name"]);
    expect(refused(addProduct, { name: "   ", priceCents: 1 })).toEqual(["name"]);
    expect(refused(addProduct, { priceCents: 1 })).toEqual(["name"]);
  });

  it("takes a price of 0 to a million, in whole cents", () => {
    for (const priceCents of [0, 100_000_000]) {
      expect(refused(addProduct, { name: "x", priceCents })).toEqual([]);
    }
    for (const priceCents of [-1, 100_000_001, 0.5, "100", null, NaN, Infinity, 2 ** 53]) {
      expect(refused(addProduct, { name: "x", priceCents })).toEqual(["priceCents"]);
    }
  });

  it("takes a UUID as the id, and lowers its case", () => {
    const id = "01990000-0000-7000-8000-00000000000A";
    expect(addProduct.input.parse({ id, name: "x", priceCents: 1 })).toMatchObject({ id: id.toLowerCase() });
    expect(refused(addProduct, { id: "7", name: "x", priceCents: 1 })).toEqual(["id"]);
  });

  it("refuses what it does not know", () => {
    expect(refused(addProduct, { name: "x", priceCents: 1, version: 1 })).toEqual([""]);
  });
});
