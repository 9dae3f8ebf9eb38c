import { CompiledQuery, sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { send } from "../../src/database/send.ts";
import { openTransaction } from "../../src/database/transaction.ts";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";
import { useProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);

beforeAll(async () => {
  await sql`create table public.notes (text text)`.execute(test.owner);
});

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
      await terminate(await pidOf(trx));
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
      await terminate(await pidOf(trx));
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
      await terminate(await pidOf(trx));
    });

    await expect(transaction).rejects.toThrow();
    expect(await takeNotes()).toEqual([]);
  });

  it("leaves a pool that can be ended", async () => {
    const db = test.open(test.urls.owner, { max: 2 });
    await expect(db.transaction().execute(async (trx) => terminate(await pidOf(trx)))).rejects.toThrow();
    await db.destroy();
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

describe("a query", () => {
  it("has a deadline on the server", async () => {
    const db = test.open(test.urls.owner, { max: 1, deadlineMs: 100 });
    await expect(sql`select pg_sleep(60)`.execute(db)).rejects.toThrow("statement timeout");
    await note(db, "after");
    expect(await takeNotes()).toEqual(["after"]);
  });

  it("is not sent any more when it has waited too long for a connection", async () => {
    const sql = test.driver(test.urls.owner);
    const client = { sql, prepare: true, deadlineMs: 100 };
    const busy = sql`select pg_sleep(0.5)`.execute();
    const late = CompiledQuery.raw("insert into public.notes values ($1)", ["late"]);
    await expect(send(sql, late, client)).rejects.toThrow(DatabaseUnavailable);
    await busy;
    await sql`select 1`;
    expect(await takeNotes()).toEqual([]);
  });

  it("has a deadline when the network swallows it", async () => {
    const db = test.open(proxy.url(test.urls.owner), { max: 1, deadlineMs: 100 });
    await note(db, "before");
    proxy.blackHole = true;
    await expect(note(db, "swallowed")).rejects.toThrow(DatabaseUnavailable);
    await expect(db.transaction().execute((trx) => note(trx, "swallowed"))).rejects.toThrow(
      DatabaseUnavailable,
    );
    proxy.blackHole = false;
    proxy.cut();
    expect(await takeNotes()).toEqual(["before"]);
  });

  it("is sent again when it was not sent: the driver gives it the last error of the connection before", async () => {
    const db = test.open(test.urls.owner, { max: 1 });
    await expect(sql`select pg_terminate_backend(pg_backend_pid())`.execute(db)).rejects.toThrow();
    await note(db, "plain");
    await expect(sql`select pg_terminate_backend(pg_backend_pid())`.execute(db)).rejects.toThrow();
    await db.transaction().execute((trx) => note(trx, "in a transaction"));
    expect(await takeNotes()).toEqual(["in a transaction", "plain"]);
  });

  it("does not meet a connection that has fallen silent, once that is known", async () => {
    const db = test.open(proxy.url(test.urls.owner), { max: 3, deadlineMs: 100 });
    const three = (work: () => Promise<unknown>) => Promise.allSettled([1, 2, 3].map(work));
    await three(() => sql`select pg_sleep(0.05)`.execute(db));
    proxy.blackHole = true;
    const swallowed = await three(() => note(db, "swallowed"));
    expect(swallowed.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    proxy.blackHole = false;
    await three(() => note(db, "after"));
    expect(await takeNotes()).toEqual(["after", "after", "after"]);
  });

  it("is refused at once when too many wait for a connection", async () => {
    const db = test.open(test.urls.owner, { max: 1, waitingMax: 2 });
    const held = await hold(test.owner, (trx) => sql`lock table public.notes`.execute(trx));
    const waiting = ["first", "second", "third"].map((text) => note(db, text));
    await expect(note(db, "refused")).rejects.toThrow("2 others wait");
    await held.commit();
    await Promise.all(waiting);
    expect(await takeNotes()).toEqual(["first", "second", "third"]);
  });

  it("finds the pool no larger after a transaction that could neither commit nor roll back", async () => {
    const db = test.open(test.urls.owner, { max: 1, waitingMax: 0 });
    const lost = db.transaction().execute(async (trx) => terminate(await pidOf(trx)));
    await expect(lost).rejects.toThrow();
    const held = await hold(test.owner, (trx) => sql`lock table public.notes`.execute(trx));
    const first = note(db, "first");
    await expect(note(db, "refused")).rejects.toThrow("0 others wait");
    await held.commit();
    await first;
    expect(await takeNotes()).toEqual(["first"]);
  });

  it("is refused outside a transaction when it relies on the one before", async () => {
    const db = test.open(test.urls.owner, { max: 2 });
    await db.connection().execute(async (connection) => {
      await sql`select 1`.execute(connection);
      await expect(sql`select 2`.execute(connection)).rejects.toThrow("not pinned");
    });
  });

  it("takes arrays, with whatever characters are in them", async () => {
    const texts = ["a", `"quoted"`, "back\\slash", "{curly,comma}", "line\nbreak", "NULL", "", null];
    const { rows } = await sql<{ texts: string[] }>`select to_json(${texts}::text[]) as texts`.execute(
      test.owner,
    );
    expect(rows).toEqual([{ texts }]);
  });

  it("refuses a bigint that a number cannot hold", async () => {
    await expect(sql`select 9007199254740993`.execute(test.owner)).rejects.toThrow("9007199254740993");
    expect((await sql`select 9007199254740991 as big`.execute(test.owner)).rows).toEqual([{
      big: 9007199254740991,
    }]);
  });
});

/** Returns the results of the successful queries. */
async function settled(queries: Promise<unknown>[]) {
  return (await Promise.allSettled(queries)).filter(({ status }) => status === "fulfilled");
}

async function untilItWorks(db: Database): Promise<void> {
  await until("the pool works again", () => note(db, "after").catch(() => false));
}

function note(db: Database, text: string) {
  return sql`insert into public.notes values (${text})`.execute(db);
}

/** Deletes all notes and returns the sorted texts. */
async function takeNotes(): Promise<string[]> {
  const { rows } = await sql<{ text: string }>`delete from public.notes returning text`.execute(test.owner);
  return rows.map(({ text }) => text).sort();
}

async function pidOf(db: Database): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db);
  return rows[0]!.pid;
}

async function terminate(pid: number): Promise<void> {
  await sql`select pg_terminate_backend(${pid}, 5000)`.execute(test.owner);
}
