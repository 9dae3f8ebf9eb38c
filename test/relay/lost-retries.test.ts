import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { createRelay, drain } from "../../src/relay/drain.ts";
import { listParked } from "../../src/relay/handlers/parked.ts";
import { useTestDatabase } from "../support/database.ts";
import { sleep } from "../../src/sleep.ts";
import { addHandler, append, makeDue, nameOf } from "../support/handlers.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();

describe("an event that never comes back from its tries", () => {
  it("is parked, and the others are not", async () => {
    const told: string[] = [];
    const { name, relay } = await addHandler(test, (event) => void told.push(nameOf(event)), {
      attemptsMax: 3,
    });
    await append(test, "g");
    await append(test, "h");
    await leaseAndDie(name);
    await letLeaseRunOut(name);
    await leaseAndDie(name);
    for (let death = 0; death < 2; death++) {
      await makeDue(test);
      const { rows } = await sql`select * from relay.lease_retries(${name}, 3, 8, 60000)`.execute(test.relay);
      expect(rows).toHaveLength(1);
      await sql`update relay.retries set due_at = 'infinity' where position <> ${
        (rows[0] as { position: number }).position
      }`
        .execute(test.owner);
    }
    await makeDue(test);
    await drain(relay, 5_000);

    expect(await listParked(test.relay, 0, 10)).toMatchObject([
      { stream: "test-g", attempts: 3, error: "Never came back from try 3" },
    ]);
    expect(told).toEqual(["h1"]);
  });

  it("is tried again while no other retry is, not even of another handler", async () => {
    const [trying, peak] = [new Set<string>(), { size: 0 }];
    const handlers = await Promise.all(["one", "other"].map((handler) =>
      addHandler(test, async () => {
        trying.add(handler);
        peak.size = Math.max(peak.size, trying.size);
        await sleep(50);
        trying.delete(handler);
      })
    ));
    await append(test, "i");
    for (const { name } of handlers) {
      await leaseAndDie(name);
      await letLeaseRunOut(name);
    }
    const subscriptions = handlers.flatMap(({ relay }) => relay.subscriptions);
    const relay = createRelay({ db: test.relay, subscriptions });
    await until("both are handled", async () => {
      await drain(relay, 5_000);
      const { rows } = await sql`select from relay.retries where subscription = any(${
        handlers.map(({ name }) => name)
      })`.execute(test.owner);
      return rows.length === 0;
    });
    expect(peak.size).toBe(1);
  });
});

/** Leases the next batch for a minute, as a relay would just before a crash. */
async function leaseAndDie(name: string): Promise<void> {
  await drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
  await sql`
    select relay.lease(${name}, position, (select max(position) from relay.log), '{}', 60000)
    from relay.checkpoints where subscription = ${name}`.execute(test.relay);
}

async function letLeaseRunOut(name: string): Promise<void> {
  await sql`update relay.checkpoints set leased_until = clock_timestamp() where subscription = ${name}`
    .execute(
      test.owner,
    );
}
