import { readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { type Database, openDatabase } from "../../src/database/database.ts";
import { append } from "../support/handlers.ts";
import { type Program, useDataFolder, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

const API = /API +(http\S+)\/docs/;
const API_PAGE = /API +(http\S+)/;

describe("dev", () => {
  const run = usePrograms();
  const folder = useDataFolder();
  const dev = () => run("dev", { settings: { DATA_DIR: folder.path, PORT: "0" } });

  it("can be stopped while it creates the database", async () => {
    const program = dev();
    await until("it has begun", async () => (await readdir(folder.path)).length > 0);
    await expectToEnd(program, "SIGINT");
  });

  it("starts everything from nothing", async () => {
    const program = dev();

    const docs = await fetch(await program.printed(API_PAGE));
    expect(await docs.text()).toContain("swagger-ui");
    const { position } = await onDatabaseOf(program, async (db) => {
      await append({ command: db }, "kept");
      return await until("the relay has numbered the event", async () => (await listKept(db))[0]);
    });

    expect(await lastPosition(program)).toBeGreaterThanOrEqual(position);
    await expectToEnd(program, "SIGINT");
  });

  it("finds its data again", async () => {
    const program = dev();

    await program.printed(API);
    const [kept, ...others] = await onDatabaseOf(program, listKept);
    expect(kept).toMatchObject({ version: 1, type: "Tested" });
    expect(others).toEqual([]);
    expect(await lastPosition(program)).toBeGreaterThanOrEqual(kept!.position);

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
      `Cannot use the database in ${folder.path}/postgres: ` +
        "another process is using it; stop it, or set DATA_DIR\n",
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

/** Lends a pool of the owner on the database printed by the program. */
async function onDatabaseOf<T>(program: Program, use: (db: Database) => Promise<T>): Promise<T> {
  const db = openDatabase(await program.printed(/Database +(\S+)/), { max: 1 });
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

/** Lists the numbered events of the stream `test-kept`. */
async function listKept(db: Database): Promise<{ version: number; type: string; position: number }[]> {
  return await db.selectFrom("write.events").innerJoin("relay.log", "relay.log.event_id", "write.events.id")
    .select(["version", "type", "position"]).where("stream", "=", "test-kept").execute();
}

/** Asks the program for the position of the last numbered event. */
async function lastPosition(program: Program): Promise<number> {
  const headers = { Authorization: await program.printed(/Operator +(Bearer \S+)/) };
  const answer = await fetch(new URL("/ops/relay", await program.printed(API)), { headers });
  return (await answer.json()).lastPosition;
}
