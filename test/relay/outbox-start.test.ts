import { sql } from "kysely";
import { v7 as uuidv7 } from "uuid";
import { afterEach, describe, expect, it } from "vitest";
import type { Database } from "../../src/database/database.ts";
import { sweep } from "../../src/relay/sweep.ts";
import { useTestDatabase } from "../support/database.ts";
import { hold } from "../support/hold.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();
let late: { held: Awaited<ReturnType<typeof hold>>; id: number } | undefined;

/** More than the three steps in which the beginning is moved. */
const ROUNDS = 6;

afterEach(async () => {
  const { rows } = await sql`
    select from write.events where id not in (select event_id from relay.log)`.execute(test.owner);
  expect(rows).toEqual([]);
});

describe("the beginning of the outbox", () => {
  it("follows what is numbered", async () => {
    await appendAndNumber(ROUNDS);
    await untilBeyond(await beginning());
  });

  it("is not moved past a transaction that is still open", async () => {
    await appendAndNumber(ROUNDS);
    const held = await hold(test.command, append);
    const id = await lastId();
    await appendAndNumber(ROUNDS);
    expect(await beginning()).toBeLessThan(id);
    await held.commit();
    await untilBeyond(id);
  });

  it("does not rely on a numbering transaction that began before it was chosen", async () => {
    await sql`update relay.outbox_start set next_id = null, next_xid = null`.execute(test.owner);
    const early = await hold(test.relay, async (relay) => {
      await sql`select pg_current_xact_id()`.execute(relay);
      const held = await hold(test.command, append);
      const id = await lastId();
      await appendAndNumber(1);
      await append(test.command);
      await number(relay);
      late = { held, id };
    });
    await early.commit();
    await appendAndNumber(1);
    expect(await beginning()).toBeLessThan(late!.id);
    await late!.held.commit();
    await appendAndNumber(1);
  });

  it("goes back with the sequence", async () => {
    await appendAndNumber(ROUNDS);
    await sql`alter sequence write.outbox_id_seq restart`.execute(test.owner);
    await number(test.relay);
    await appendAndNumber(1);
    expect(await beginning()).toBe(0);
  });

  it("goes back for what was left behind when nobody has noticed that the sequence went back", async () => {
    await appendAndNumber(ROUNDS);
    await sql`alter sequence write.outbox_id_seq restart`.execute(test.owner);
    const after = 2;
    await sql`update relay.outbox_start set after_id = ${after}, next_id = null, next_xid = null`.execute(
      test.owner,
    );
    for (let event = 0; event <= after; event++) await append(test.command);
    await number(test.relay);
    const { rows } = await sql`select from write.outbox`.execute(test.owner);
    expect(rows).toHaveLength(after);

    await sweep(test.relay, () => true);
    await number(test.relay);
  });

  it("is chosen anew in a restored copy, whose transactions are numbered from another start", async () => {
    await sql`update relay.outbox_start set next_id = after_id, next_xid = '1000000000'`.execute(test.owner);
    await untilBeyond(await beginning());
  });
});

async function append(db: Database): Promise<void> {
  const id = uuidv7();
  const events = JSON.stringify([{ id, type: "Noted", data: {}, metadata: {} }]);
  await sql`select write.append(${`note-${id}`}, 0, ${events}::text::jsonb, null)`.execute(db);
}

async function number(db: Database): Promise<void> {
  await sql`select relay.number_events(1000)`.execute(db);
}

/** Numbers each event in a separate transaction, without the rest between two moves of the beginning. */
async function appendAndNumber(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await append(test.command);
    await sql`update relay.outbox_start set rests_until = '-infinity'`.execute(test.owner);
    await number(test.relay);
  }
}

/** Waits up to 25 s: transactions in other databases of the server hold up the beginning, too. */
async function untilBeyond(id: number): Promise<void> {
  await until(`the beginning is beyond ${id}`, async () => {
    await appendAndNumber(1);
    return await beginning() > id;
  }, 25_000);
}

async function beginning(): Promise<number> {
  const { rows } = await sql<{ after_id: number }>`select after_id from relay.outbox_start`.execute(
    test.owner,
  );
  return rows[0]!.after_id;
}

async function lastId(): Promise<number> {
  const { rows } = await sql<{ id: number }>`select relay.last_outbox_id() as id`.execute(test.owner);
  return rows[0]!.id;
}
