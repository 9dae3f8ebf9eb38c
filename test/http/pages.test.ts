import { beforeAll, describe, expect, it } from "vitest";
import { aJar } from "../jars/arrange.ts";
import { newJar } from "../jars/http.ts";
import { type Answer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const HONEY = 25;

const app = useTestApp();
/** The jars in the order of pages: by label; of equal labels, the smaller id first. */
let ordered: string[];
let honey: string[];

beforeAll(async () => {
  const open = async (label: string, count: number) => {
    const ids: string[] = [];
    for (let grams = 1; grams <= count; grams++) ids.push(await aJar(app.database.command, { label, grams }));
    return ids.toSorted();
  };
  // Opened out of order: the label does not follow the time.
  const quince = await open("quince", 4);
  honey = await open("honey", HONEY);
  const apricot = await open("apricot", 7);
  ordered = [...apricot, ...honey, ...quince];
  await app.drained();
});

const idsOf = ({ body }: Answer): string[] => body.items.map(({ id }: { id: string }) => id);

async function pages(query: string): Promise<string[][]> {
  const pages: string[][] = [];
  for (let after: string | null = ""; after !== null;) {
    const answer: Answer = await app.get(`/jars?${query}${after && `&after=${after}`}`);
    expect(answer.status).toBe(200);
    pages.push(idsOf(answer));
    after = answer.body.next;
  }
  return pages;
}

describe("Pages", () => {
  it("have 20 items unless asked otherwise, and hold each once", async () => {
    expect(await pages("")).toEqual([ordered.slice(0, 20), ordered.slice(20)]);
  });

  it.each([1, 4, 9, 12, 18, 36, 100])("have %d items, and only the last page fewer", async (limit) => {
    const found = await pages(`limit=${limit}`);
    expect(found.flat()).toEqual(ordered);
    expect(found).toHaveLength(Math.ceil(ordered.length / limit));
    expect(found.slice(0, -1).filter(({ length }) => length !== limit)).toEqual([]);
  });

  it("end between items with equal values, and go on there", async () => {
    expect(await pages("label=honey&limit=10")).toEqual([
      honey.slice(0, 10),
      honey.slice(10, 20),
      honey.slice(20),
    ]);
  });

  it("have no next page after exactly as many as fit", async () => {
    expect((await app.get(`/jars?label=honey&limit=${HONEY}`)).body.next).toBeNull();
    const { body: { next } } = await app.get(`/jars?label=honey&limit=${HONEY - 1}`);
    const last = await app.get(`/jars?label=honey&limit=${HONEY - 1}&after=${next}`);
    expect({ ids: idsOf(last), next: last.body.next }).toEqual({ ids: honey.slice(-1), next: null });
  });

  it("are empty when there is nothing", async () => {
    const empty = { status: 200, body: { items: [], next: null } };
    expect(await app.get("/jars?label=nothing")).toMatchObject(empty);
    const { body: { next } } = await app.get("/jars?label=honey&limit=24");
    expect(await app.get(`/jars?label=apricot&after=${next}`)).toMatchObject(empty);
  });

  it("hold each item as a query by id shows it", async () => {
    const { body: { items } } = await app.get("/jars?label=quince");
    const { body: jar } = await app.get(`/jars/${ordered.at(-1)}`);
    expect(jar).toMatchObject({ label: "quince", version: 2 });
    expect(items.at(-1)).toEqual(jar);
  });

  it("name the next page in characters that need no escape in a URL", async () => {
    const { body: { next } } = await app.get("/jars?limit=1");
    expect(next).toMatch(/^[\w-]+$/);
  });

  it("go on after the longest values in any script", async () => {
    for (const label of ["漢".repeat(49) + "甲", "漢".repeat(49) + "乙", "😀".repeat(25)]) {
      await newJar(app, { label });
    }
    await app.drained();
    const found = (await pages("limit=1")).flat();
    expect([found.length, new Set(found).size]).toEqual([ordered.length + 3, ordered.length + 3]);
    const others = found.filter((id) => !ordered.includes(id));
    await app.database.owner.deleteFrom("read.jar_details").where("jar_id", "in", others).execute();
  });

  it.each([
    "limit=0",
    "limit=101",
    "limit=-1",
    "limit=two",
    "limit=1.5",
    "after=nonsense",
    "after=",
    "after=WyIxIl0",
    "sort=label",
  ])("answer 400 to ?%s", async (query) => {
    const pointer = query === "sort=label" ? "#" : `#/${query.split("=")[0]}`;
    expectProblem(await app.get(`/jars?${query}`), 400, "invalid-input", [pointer]);
  });
});

describe("Pages, when items come and go in between,", () => {
  const rest = async (next: string) => idsOf(await app.get(`/jars?limit=100&after=${next}`));

  it("do not repeat or skip an item, and show only those added behind", async () => {
    const first = await app.get("/jars?limit=10");
    const before = await newJar(app, { label: "almond" });
    const behind = await newJar(app, { label: "walnut" });
    await app.drained();
    expect([...idsOf(first), ...await rest(first.body.next)]).toEqual([...ordered, behind.id]);
    expect((await pages("limit=100"))[0]).toEqual([before.id, ...ordered, behind.id]);
    for (const { id } of [before, behind]) await hide(id);
  });

  it("show an item added between equal values behind the end of the page before", async () => {
    const first = await app.get("/jars?label=honey&limit=10");
    const { id } = await newJar(app, { label: "honey" });
    await app.drained();
    const second = await app.get(`/jars?label=honey&limit=100&after=${first.body.next}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual([...honey, id]);
    await hide(id);
  });

  it("go on when the last item of the page before is gone", async () => {
    const first = await app.get("/jars?limit=10");
    const behind = await rest(first.body.next);
    await hide(idsOf(first).at(-1)!);
    expect(await rest(first.body.next)).toEqual(behind);
    expect(behind).toEqual(ordered.slice(10));
  });
});

const hide = (id: string) =>
  app.database.owner.deleteFrom("read.jar_details").where("jar_id", "=", id).execute();
