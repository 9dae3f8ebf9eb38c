import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { withOwnTasks } from "../../src/relay/relay.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, countStatements, makeDue } from "../support/handlers.ts";

const test = useTestDatabase();

describe("ten thousand events behind a failed one", () => {
  it("follow by the hundred, with a constant number of statements for each hundred", async () => {
    const told: number[] = [];
    let isBroken = true;
    const { relay } = await addHandler(test, ({ version }) => {
      if (isBroken) throw new Error("not yet");
      told.push(version);
    });
    await sql`
      select write.append('test-long', 0, (
        select jsonb_agg(jsonb_build_object('id', gen_random_uuid(), 'type', 'Tested', 'data', '{}'::jsonb, 'metadata', '{}'::jsonb))
        from generate_series(1, 10000)), null)`.execute(test.owner);
    await drain(relay, 10_000);
    const { rows: [row] } = await sql`select count(*)::int as lanes from relay.lanes`.execute(test.owner);
    expect(row).toEqual({ lanes: 1 });

    isBroken = false;
    await makeDue(test);
    const { db, count } = countStatements(relay.db);
    await drain(withOwnTasks({ ...relay, db }), 60_000);
    expect(told).toEqual(Array.from({ length: 10_000 }, (_, place) => place + 1));
    expect(count()).toBeLessThan(10_000 / 100 * 4);
  });
});

describe("twenty thousand parked lanes", () => {
  it("cost an idle look nothing: a handful of pages", async () => {
    const { name } = await addHandler(test, () => {});
    await sql`
      insert into relay.lanes (subscription, stream, next_version, last_version, state, due_at, waiting_since)
      select ${name}, 'test-parked' || place, 1, 1, 'parked', now(), now() from generate_series(0, 19999) as place`
      .execute(test.owner);
    // A session's first call reads the catalogue, too.
    const pages = await test.owner.transaction().execute(async (trx) => {
      await sql`select relay.due_states(${name}, '-infinity')`.execute(trx);
      const { rows: [row] } = await sql<{ "QUERY PLAN": { Plan: Record<string, number> }[] }>`
        explain (analyze, buffers, format json) select relay.due_states(${name}, '-infinity')`.execute(trx);
      const { Plan: plan } = row!["QUERY PLAN"][0]!;
      return plan["Shared Hit Blocks"]! + plan["Shared Read Blocks"]!;
    });
    expect(pages).toBeLessThan(50);
  });
});
