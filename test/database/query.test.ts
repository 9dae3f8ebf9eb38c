import { CompiledQuery, sql } from "kysely";
import { describe, expect, it } from "vitest";
import { send } from "../../src/database/send.ts";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";
import { useProxy } from "../support/proxy.ts";
import { note, pidOf, terminate, useNotes } from "../support/notes.ts";

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.owner);
const takeNotes = useNotes(test);

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
    const lost = db.transaction().execute(async (trx) => terminate(test.owner, await pidOf(trx)));
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
