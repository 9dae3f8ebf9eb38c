import { describe, expect, it } from "vitest";
import { type Program, useDataFolder, usePrograms } from "../../support/program.ts";

const API = /API +(http\S+)\/docs/;

describe("dev", () => {
  const run = usePrograms();
  const folder = useDataFolder();
  const dev = () => run("dev", { settings: { DATA_DIR: folder.path, PORT: "0" } });

  it("opens a shop to try", async () => {
    const program = dev();

    const found = await fetch(`${await program.printed(API)}/products?search=lamp`);
    const { items } = await found.json();
    expect(items).toEqual([expect.objectContaining({ name: "Desk lamp" })]);

    await addProduct(program, "Bookshelf");
    await expectToEnd(program, "SIGINT");
  });

  it("finds its products again, and opens the shop no second time", async () => {
    const program = dev();

    const { items } = await (await fetch(`${await program.printed(API)}/products`)).json();
    expect(items.map(({ name }: { name: string }) => name).sort())
      .toEqual(["Bookshelf", "Desk lamp", "Office chair", "Standing desk"]);

    await expectToEnd(program, "SIGTERM");
  });
});

async function expectToEnd(program: Program, signal: NodeJS.Signals) {
  program.signal(signal);
  expect(await program.ended).toBe(0);
}

async function addProduct(program: Program, name: string) {
  const response = await fetch(`${await program.printed(API)}/products`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, priceCents: 1_000 }),
  });
  expect(response.status).toBe(201);
}
