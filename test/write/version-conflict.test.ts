import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { VersionConflict, VersionMismatch } from "../../src/errors.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar, fillEmptyJar } from "../jars/arrange.ts";
import { fillJar, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";

const test = useTestDatabase({ jars: true });

/** Fills a jar in the transaction of a rival. */
const holdFilling = (id: string, grams: number) =>
  hold(test.command, (trx) => execute(trx, fillJar, { id, input: { grams } }, anybody));

describe("a command whose rival has not committed yet", () => {
  it("waits for the rival, then decides again on what the rival has done", async () => {
    const id = await aJar(test.command);
    const rival = await holdFilling(id, 5);

    const filling = execute(test.command, fillEmptyJar, { id, input: { grams: 7 } }, anybody);
    filling.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(filling).rejects.toThrow("Cannot fill jar: it is not empty");
    expect(await eventsOf(id)).toEqual(["JarOpened", "JarFilled 5"]);
  });

  it("goes on as if nothing had been when the rival rolls back", async () => {
    const id = await aJar(test.command);
    const rival = await holdFilling(id, 5);

    const filling = execute(test.command, fillEmptyJar, { id, input: { grams: 7 } }, anybody);
    await untilBlocked(test.owner);
    await rival.rollback();

    expect(await filling).toMatchObject({ id, version: 2 });
    expect(await eventsOf(id)).toEqual(["JarOpened", "JarFilled 7"]);
  });

  it("does not give away the same room twice", async () => {
    const id = await aJar(test.command, { grams: 999 });
    const rival = await holdFilling(id, 1);

    const filling = fill(1, id);
    filling.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(filling).rejects.toMatchObject({ code: "jar-overfull" });
    expect(await eventsOf(id)).toEqual(["JarOpened", "JarFilled 999", "JarFilled 1"]);
  });

  it("does not create what the rival has created", async () => {
    const id = crypto.randomUUID();
    const input = { label: "Honey" };
    const rival = await hold(test.command, (trx) => execute(trx, openJar, { id, input }, anybody));

    const opening = execute(test.command, openJar, { id, input }, anybody);
    opening.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(opening).rejects.toThrow(VersionConflict);
  });
});

describe("a command whose rival commits between its load and its save", () => {
  it("decides again on what the rival has done", async () => {
    const id = await aJar(test.command);
    // Loading reads keys, saving writes a key: the command stops between load and save.
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table write.idempotency_keys in exclusive mode`.execute(trx),
    );

    const filling = fill(3, id, { idempotencyKey: "outrun" });
    await untilBlocked(test.owner);
    await fillElsewhere(2, id);
    await gate.commit();

    expect(await filling).toMatchObject({ version: 3 });
    expect(await eventsOf(id)).toEqual(["JarOpened", "JarFilled 2", "JarFilled 3"]);
    expect(await stateOf(id)).toMatchObject({ grams: 5, version: 3 });
  });

  it("is told so when it insists on a version", async () => {
    const id = await aJar(test.command);
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table write.idempotency_keys in exclusive mode`.execute(trx),
    );

    const filling = fill(3, id, { idempotencyKey: "insists", ifMatch: 1 });
    filling.catch(() => {});
    await untilBlocked(test.owner);
    await fillElsewhere(2, id);
    await gate.commit();

    await expect(filling).rejects.toThrow(VersionMismatch);
    expect(await eventsOf(id)).toEqual(["JarOpened", "JarFilled 2"]);
  });

  it("gives up after three attempts, and leaves no trace", async () => {
    const id = await aJar(test.command);
    let loads = 0;
    const late: typeof fillJar = {
      ...fillJar,
      load(db) {
        loads++;
        const version = sql<number>`version - 1`.as("version");
        return db.selectFrom("write.jars").select(["label", "grams", version]).where("id", "=", id);
      },
    };

    const filling = execute(test.command, late, { id, input: { grams: 3 } }, {
      ...anybody,
      idempotencyKey: "late",
    });

    await expect(filling).rejects.toThrow(VersionConflict);
    await expect(filling).rejects.toThrow(/^Cannot append: another command was there before$/);
    expect(loads).toBe(3);
    expect(await eventsOf(id)).toEqual(["JarOpened"]);
    expect(await stateOf(id)).toMatchObject({ grams: 0, version: 1 });
    const kept = await test.command.selectFrom("write.idempotency_keys").select("key").where(
      "key",
      "=",
      "late",
    ).execute();
    expect(kept).toEqual([]);
  });
});

describe("a command that insists on a version", () => {
  it("is refused at another one, and nothing is written", async () => {
    const id = await aJar(test.command, { grams: 5 });
    await expect(fill(1, id, { ifMatch: 7 })).rejects.toThrow(VersionMismatch);
    expect(await stateOf(id)).toMatchObject({ grams: 5, version: 2 });
  });
});

function fill(grams: number, id: string, context = {}) {
  return execute(test.command, fillJar, { id, input: { grams } }, { ...anybody, ...context });
}

/** Fills a jar like another process, whose commands take no turns with those of the first. */
function fillElsewhere(grams: number, id: string) {
  return execute(test.open(test.urls.command, { max: 1 }), fillJar, { id, input: { grams } }, anybody);
}

function stateOf(id: string) {
  return fillJar.aggregate.load(test.command, id).executeTakeFirst();
}

/** Lists the events of a jar, each with the grams filled in. */
async function eventsOf(id: string): Promise<string[]> {
  const events = await test.command.selectFrom("write.events").select(["type", "data"])
    .where("stream", "=", `jar-${id}`).orderBy("version").execute();
  return events.map(({ type, data }) => {
    const { grams } = data as { grams?: number };
    return grams === undefined ? type : `${type} ${grams}`;
  });
}
