import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { openTransaction } from "../../src/database/transaction.ts";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { useTestDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";
import { note, pidOf, terminate, useNotes } from "../support/notes.ts";

const test = useTestDatabase();
const takeNotes = useNotes(test);

describe("a transaction whose backend is terminated", () => {
  it.each([
    { waiting: 0, when: "nothing else waits for the pool" },
    { waiting: 1, when: "another query waits for the pool" },
    { waiting: 5, when: "five other queries wait for the pool" },
  ])("rejects as a whole when $when", async ({ waiting }) => {
    const db = test.open(test.urls.owner, { max: 1 });
    await note(db, "before");
    let others: Promise<unknown>[] = [];

    const transaction = db.transaction().execute(async (trx) => {
      await note(trx, "first");
      others = Array.from({ length: waiting }, () => note(db, "other"));
      await terminate(test.owner, await pidOf(trx));
      await note(trx, "second");
    });

    await expect(transaction).rejects.toThrow();
    const sent = await settled(others);
    await untilItWorks(db);
    expect(await takeNotes()).toEqual(["after", "before", ...sent.map(() => "other")]);
  });

  it("rejects what comes after a statement whose error was caught", async () => {
    const db = test.open(test.urls.owner, { max: 1 });

    const transaction = db.transaction().execute(async (trx) => {
      await note(trx, "first");
      await terminate(test.owner, await pidOf(trx));
      for (const text of ["second", "third", "fourth"]) await note(trx, text).catch(() => {});
    });

    await expect(transaction).rejects.toThrow();
    await untilItWorks(db);
    expect(await takeNotes()).toEqual(["after"]);
  });

  it.each([0, 1])(
    "rejects what comes after the statement that was under way, with %i others waiting",
    async (waiting) => {
      const db = test.open(test.urls.owner, { max: 1 });
      let others: Promise<unknown>[] = [];

      const transaction = db.transaction().execute(async (trx) => {
        await note(trx, "first");
        others = Array.from({ length: waiting }, () => note(db, "other"));
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx).catch(() => {});
        for (const text of ["second", "third", "fourth"]) await note(trx, text).catch(() => {});
      });

      await expect(transaction).rejects.toThrow();
      const sent = await settled(others);
      await untilItWorks(db);
      expect(await takeNotes()).toEqual(["after", ...sent.map(() => "other")]);
    },
  );

  it("rejects the commit when the backend dies before it", async () => {
    const db = test.open(test.urls.owner, { max: 1 });

    const transaction = db.transaction().execute(async (trx) => {
      await note(trx, "first");
      await terminate(test.owner, await pidOf(trx));
    });

    await expect(transaction).rejects.toThrow();
    expect(await takeNotes()).toEqual([]);
  });

  it("leaves a pool that can be ended", async () => {
    const db = test.open(test.urls.owner, { max: 2 });
    await expect(db.transaction().execute(async (trx) => terminate(test.owner, await pidOf(trx)))).rejects
      .toThrow();
    await db.destroy();
  });
});

describe("a text of several statements", () => {
  it("may have any of them return rows", async () => {
    await expect(
      sql.raw("select 1; select setval(pg_get_serial_sequence('write.outbox', 'id'), 1)").execute(test.owner),
    )
      .resolves.toBeDefined();
  });
});

describe("a transaction", () => {
  it("commits, rolls back, and reads what it has written", async () => {
    const db = test.open(test.urls.owner, { max: 1 });
    await db.transaction().setIsolationLevel("serializable").execute(async (trx) => {
      await note(trx, "kept");
      const { rows } = await sql<{ level: string }>`show transaction_isolation`.execute(trx);
      expect(rows).toEqual([{ transaction_isolation: "serializable" }]);
    });
    await expect(
      db.transaction().execute(async (trx) => {
        await note(trx, "lost");
        throw new Error("changed my mind");
      }),
    ).rejects.toThrow("changed my mind");
    await expect(
      db.transaction().execute(async (trx) => {
        await note(trx, "lost");
        await sql`select 1 / 0`.execute(trx);
      }),
    ).rejects.toThrow("division by zero");
    expect(await takeNotes()).toEqual(["kept"]);
  });

  it("that could not begin in time does not stay open", async () => {
    const sql = test.driver(test.urls.owner);
    const busy = sql`select pg_sleep(0.5)`.execute();
    await expect(openTransaction({ sql, prepare: true, deadlineMs: 100 }, "")).rejects.toThrow(
      DatabaseUnavailable,
    );
    await busy;
    expect(await sql`select 1 as free`).toEqual([{ free: 1 }]);
  });
});

/** Returns the results of the successful queries. */
async function settled(queries: Promise<unknown>[]) {
  return (await Promise.allSettled(queries)).filter(({ status }) => status === "fulfilled");
}

async function untilItWorks(db: Database): Promise<void> {
  await until("the pool works again", () => note(db, "after").catch(() => false));
}
