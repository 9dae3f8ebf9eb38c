import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { CommandInProgress, IdempotencyKeyReused } from "../../src/errors.ts";
import { sweep } from "../../src/relay/sweep.ts";
import { execute } from "../../src/write/execute.ts";
import { toKey } from "../../src/write/idempotency.ts";
import { aJar, fillEmptyJar } from "../jars/arrange.ts";
import { fillJar, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";

const test = useTestDatabase({ jars: true });

const keyed = (idempotencyKey: string) => ({ ...anybody, idempotencyKey });
const honey = { input: { label: "Honey" } };

describe("a command with the key of one that is running", () => {
  it("is refused at once, and gets the answer when the other has committed", async () => {
    let first: unknown;
    const running = await hold(test.command, async (trx) => {
      first = await execute(trx, openJar, honey, keyed("running"));
    });

    await expect(execute(test.command, openJar, honey, keyed("running"))).rejects.toThrow(
      CommandInProgress,
    );
    await running.commit();

    expect(await execute(test.command, openJar, honey, keyed("running"))).toEqual(first);
    expect(await eventsOf("running")).toBe(1);
  });

  it("is carried out when the other has rolled back", async () => {
    const running = await hold(test.command, (trx) => execute(trx, openJar, honey, keyed("given up")));
    await running.rollback();

    await execute(test.command, openJar, honey, keyed("given up"));
    expect(await eventsOf("given up")).toBe(1);
  });
});

describe("a command whose key has an answer", () => {
  it("gets that answer, though the state has moved on", async () => {
    const id = await aJar(test.command);
    const fill = (key: string) =>
      execute(test.command, fillEmptyJar, { id, input: { grams: 5 } }, keyed(key));
    const answer = await fill("moved on");

    expect(await fill("moved on")).toEqual(answer);
    await expect(fill("another")).rejects.toMatchObject({ code: "jar-not-empty" });
  });

  it("gets that answer, though it insists on a version that is gone", async () => {
    const id = await aJar(test.command);
    const fill = () =>
      execute(test.command, fillJar, { id, input: { grams: 1 } }, { ...keyed("insists"), ifMatch: 1 });
    const answer = await fill();

    expect(await fill()).toEqual(answer);
  });

  it("gets that answer, though the command changed nothing", async () => {
    const id = await aJar(test.command);
    const fill = (grams: number, key: string) =>
      execute(test.command, fillJar, { id, input: { grams } }, keyed(key));
    const answer = await fill(0, "nothing");
    await fill(5, "something");

    expect(answer).toMatchObject({ version: 1 });
    expect(await fill(0, "nothing")).toEqual(answer);
  });

  it("gets that answer, though it was outrun twice before", async () => {
    const id = await aJar(test.command);
    const result = { id, version: 7, lastEventId: null };
    const stored = {
      ...keyed("outrun"),
      command: "FillJar",
      key: "outrun",
      fingerprint: await fingerprintOf(id, 300),
      result,
    };
    let loads = 0;
    // Loads an old version twice; during the third load, a twin of the command stores the result.
    const outrun: typeof fillJar = {
      ...fillJar,
      load(db) {
        const twin = sql<number>`write.append('twin', 0, '[]', ${JSON.stringify(stored)}::text::jsonb) + 1`;
        const version = ++loads === 3 ? twin : sql<number>`version - 1`;
        return db.selectFrom("write.jars").where("id", "=", id)
          .select(["label", "grams", version.as("version")]);
      },
    };
    expect(await execute(test.command, outrun, { id, input: { grams: 300 } }, keyed("outrun"))).toEqual(
      result,
    );
  });

  it("is refused with another input", async () => {
    await execute(test.command, openJar, honey, keyed("reused"));
    await expect(
      execute(test.command, openJar, { input: { label: "Jam" } }, keyed("reused")),
    )
      .rejects.toThrow(IdempotencyKeyReused);
  });

  it("is another command for another caller", async () => {
    const mine = await execute(test.command, openJar, honey, keyed("scoped"));
    const yours = await execute(test.command, openJar, honey, {
      ...keyed("scoped"),
      caller: "somebody else",
    });
    expect(yours.id).not.toBe(mine.id);
  });

  it("is forgotten after 30 days", async () => {
    await execute(test.command, openJar, honey, keyed("old"));
    await execute(test.command, openJar, honey, keyed("young"));
    await age("old", 31);
    await age("young", 29);

    await sweep(test.relay, () => true);

    const kept = await test.command.selectFrom("write.idempotency_keys").select("key").where("key", "in", [
      "old",
      "young",
    ]).execute();
    expect(kept).toEqual([{ key: "young" }]);
  });
});

describe("10,000 requests with one key", () => {
  it("have one effect, and others are not held up by them", async () => {
    const db = test.open(test.urls.command, { max: 20, waitingMax: 20_000, deadlineMs: 200_000 });
    const storm = Array.from(
      { length: 10_000 },
      () => execute(db, openJar, honey, keyed("storm")).catch((error: unknown) => error),
    );
    const others = Array.from(
      { length: 20 },
      (_, index) => execute(db, openJar, honey, keyed(`calm ${index}`)),
    );

    const answers = (await Promise.all(storm)).filter((answer) => !(answer instanceof CommandInProgress));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(new Set((await Promise.all(others)).map(({ id }) => id)).size).toBe(20);
    expect(await eventsOf("storm")).toBe(1);
  }, 60_000);
});

async function fingerprintOf(id: string, grams: number): Promise<string> {
  return (await toKey("FillJar", { id, input: { grams } }, keyed("any")))!.fingerprint;
}

/** Counts the events of the jars opened with the key. */
async function eventsOf(key: string): Promise<number> {
  const kept = await test.command.selectFrom("write.idempotency_keys").select("result").where("key", "=", key)
    .execute();
  const streams = kept.map(({ result }) => `jar-${result.id}`);
  const events = await test.command.selectFrom("write.events").select("id").where("stream", "in", streams)
    .execute();
  return events.length;
}

async function age(key: string, days: number): Promise<void> {
  await test.owner.updateTable("write.idempotency_keys")
    .set({ created_at: new Date(Date.now() - days * 86_400_000) }).where("key", "=", key).execute();
}
