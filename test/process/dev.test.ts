import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type Program, useDataFolder, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

const API = /API +(http\S+)\/docs/;

describe("dev", () => {
  const run = usePrograms();
  const folder = useDataFolder();
  const dev = () => run("dev", { settings: { DATA_DIR: folder.path, PORT: "0" } });

  it("can be stopped while it creates the database", async () => {
    const program = dev();
    await until("it has begun", async () => (await readdir(folder.path)).length > 0);
    await expectToEnd(program, "SIGINT");
  });

  it("starts everything from nothing and says what to try", async () => {
    const program = dev();

    const found = await fetch(await program.printed(/Try +curl -s '(.+)'/));
    const { items } = await found.json();
    expect(items).toEqual([expect.objectContaining({ name: "Desk lamp" })]);
    const docs = await fetch(await program.printed(/API +(http\S+)/));
    expect(await docs.text()).toContain("swagger-ui");

    await addProduct(program, "Bookshelf");
    await expectToEnd(program, "SIGINT");
  });

  it("finds its data again", async () => {
    const program = dev();

    const { items } = await (await fetch(`${await program.printed(API)}/products`)).json();
    expect(items.map(({ name }: { name: string }) => name).sort())
      .toEqual(["Bookshelf", "Desk lamp", "Office chair", "Standing desk"]);

    await expectToEnd(program, "SIGTERM");
  });

  it("takes over what a killed one has left, and refuses a second one beside it", async () => {
    const killed = dev();
    const api = await killed.printed(API);
    const server = await folder.postgres();

    killed.signal("SIGKILL");
    await until("its child has ended too", () => fetch(`${api}/health`).then(() => false, () => true));
    const program = dev();
    await program.printed(/Stop +Ctrl-C\n\n/);
    expect(await folder.postgres()).toBe(server);

    const second = dev();
    expect(await second.ended).toBe(1);
    expect(second.output).toBe(
      `Cannot use the database in ${folder.path}/postgres: another process is using it; stop it, or set DATA_DIR\n`,
    );

    await expectToEnd(program, "SIGTERM");
  });

  it("lets one of two win that start at once", async () => {
    const programs = [dev(), dev()];
    const loser = await Promise.race(programs.map((program) => program.ended.then(() => program)));
    expect(await loser.ended).toBe(1);
    expect(loser.output).toMatch(/^Cannot use the database in .+: another process is using it; .+\n$/);

    const winner = programs.find((program) => program !== loser)!;
    await winner.printed(/Stop +Ctrl-C\n\n/);
    await expectToEnd(winner, "SIGINT");
  });

  async function expectToEnd(program: Program, signal: NodeJS.Signals) {
    const printed = program.output;
    program.signal(signal);

    expect(await program.ended).toBe(0);
    expect(program.output).toBe(printed);
    expect(await folder.postgres()).toBeUndefined();
  }
});

async function addProduct(program: Program, name: string) {
  const response = await fetch(`${await program.printed(API)}/products`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name, priceCents: 1_000 }),
  });
  expect(response.status).toBe(201);
}
