import { describe, expect, it } from "vitest";
import { changePrice } from "../../../src/features/catalog/commands/change-price.ts";
import type { ProductEvent } from "../../../src/features/catalog/events.ts";
import { refused } from "../../support/refused.ts";
import { given } from "../../support/spec.ts";

const added: ProductEvent = { type: "ProductAdded", data: { name: "Desk lamp", priceCents: 4_900 } };
const changedTo = (priceCents: number): ProductEvent => ({ type: "PriceChanged", data: { priceCents } });

describe("ChangePrice", () => {
  it("changes the price", () => {
    given(added).when(changePrice, { priceCents: 3_900 }).then(changedTo(3_900));
  });

  it("changes nothing when the product costs that already", () => {
    given(added).when(changePrice, { priceCents: 4_900 }).then();
  });

  it("goes by the latest price", () => {
    given(added, changedTo(3_900)).when(changePrice, { priceCents: 3_900 }).then();
    given(added, changedTo(3_900)).when(changePrice, { priceCents: 4_900 }).then(changedTo(4_900));
  });

  it("takes a price of 0 to a million, in whole cents, and nothing else", () => {
    for (const priceCents of [0, 100_000_000]) expect(refused(changePrice, { priceCents })).toEqual([]);
    for (const priceCents of [-1, 100_000_001, 1.5, "1", undefined]) {
      expect(refused(changePrice, { priceCents })).toEqual(["priceCents"]);
    }
    expect(refused(changePrice, { priceCents: 1, name: "x" })).toEqual([""]);
  });
});
