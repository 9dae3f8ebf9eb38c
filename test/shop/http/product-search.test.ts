import { beforeAll, describe, expect, it } from "vitest";
import { type Answer } from "../../support/app.ts";
import { useShopApp } from "../support/shop.ts";
import { expectProblem } from "../../support/problem.ts";
import { newProduct } from "../support/http-shop.ts";

const NAMES = ["100% cotton", "100 cotton", "a_b", "aXb", "C:\\lamp", "C:lamp", "Desk Lamp", "ÉCLAIR"];

const app = useShopApp();

beforeAll(async () => {
  for (const name of NAMES) await newProduct(app, { name });
  for (let index = 0; index < 25; index++) await newProduct(app, { name: "same name", priceCents: index });
  await app.drained();
});

const search = async (text: string) => namesOf(await app.get(`/products?search=${encodeURIComponent(text)}`));
const namesOf = ({ body }: Answer) => body.items.map(({ name }: { name: string }) => name).sort();

describe("GET /products?search=", () => {
  it("finds a part of the name in any case", async () => {
    expect(await search("LAMP")).toEqual(["C:\\lamp", "C:lamp", "Desk Lamp"]);
    expect(await search("k l")).toEqual(["Desk Lamp"]);
    expect(await search("chair")).toEqual([]);
  });

  it("finds letters beyond ASCII in any case", async () => {
    expect(await search("éclair")).toEqual(["ÉCLAIR"]);
  });

  it.each([["0% c", "100% cotton"], ["a_b", "a_b"], ["C:\\l", "C:\\lamp"]])(
    "takes %s literally",
    async (sign, name) => {
      expect(await search(sign)).toEqual([name]);
    },
  );

  it("finds the beginning of the name, in any case, where there is too little for a part", async () => {
    expect(await search("É")).toEqual(["ÉCLAIR"]);
    expect(await search("éc")).toEqual(["ÉCLAIR"]);
    expect(await search("10")).toEqual(["100 cotton", "100% cotton"]);
    expect(await search("cl")).toEqual([]);
    expect(await search("a_")).toEqual(["a_b"]);
    for (const text of ["%", "_", "\\", "...", "% %"]) expect(await search(text)).toEqual([]);
  });

  it("takes quotes and other signs of SQL literally", async () => {
    expect(await search(`' or 1=1 --`)).toEqual([]);
    expect(await search(`{"a":1}`)).toEqual([]);
  });

  it("shows whole products", async () => {
    const { body } = await app.get("/products?search=desk");
    expect(body).toEqual({
      items: [{
        id: expect.any(String),
        name: "Desk Lamp",
        priceCents: 4_900,
        available: 0,
        version: 1,
      }],
      next: null,
    });
  });
});

describe("GET /products pages", () => {
  it("have 20 products unless asked otherwise, and hold each once", async () => {
    const first = await app.get("/products?search=same");
    expect(first.body.items).toHaveLength(20);
    const second = await app.get(`/products?search=same&after=${first.body.next}`);
    expect(second.body.items).toHaveLength(5);
    expect(second.body.next).toBeNull();
    const prices = [...first.body.items, ...second.body.items].map(({ priceCents }) => priceCents);
    expect(prices.sort((one, other) => one - other)).toEqual(Array.from({ length: 25 }, (_, index) => index));
  });

  it("go through everything in order of name", async () => {
    const names: string[] = [];
    for (let after: string | null = ""; after !== null;) {
      const { body } = await app.get(`/products?limit=3${after && `&after=${after}`}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      names.push(...body.items.map(({ name }: { name: string }) => name));
      after = body.next;
    }
    expect(names).toHaveLength(NAMES.length + 25);
    expect(names.filter((name) => name !== "same name").toSorted()).toEqual(NAMES.toSorted());
  });

  it("have no next page after exactly as many as fit", async () => {
    expect((await app.get("/products?search=same&limit=25")).body.next).toBeNull();
  });

  it("go on after the longest names in any script", async () => {
    for (const end of ["甲", "乙"]) await newProduct(app, { name: "漢".repeat(199) + end });
    await app.drained();
    const first = await app.get(`/products?search=${encodeURIComponent("漢")}&limit=1`);
    const second = await app.get(
      `/products?search=${encodeURIComponent("漢")}&limit=1&after=${first.body.next}`,
    );
    expect({ status: second.status, next: second.body.next }).toEqual({ status: 200, next: null });
    expect(namesOf(second)).not.toEqual(namesOf(first));
  });

  it.each(["limit=0", "limit=101", "limit=two", "limit=1.5", "after=nonsense", "after=", "sort=name"])(
    "answer 400 to ?%s",
    async (query) => {
      const pointer = query === "sort=name" ? "#" : `#/${query.split("=")[0]}`;
      expectProblem(await app.get(`/products?${query}`), 400, "invalid-input", [pointer]);
    },
  );
});
