import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { readModelSubscriptions } from "../support/shop.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../../support/database.ts";
import type { Verdict } from "../../faults/support/report.ts";
import { type Given, judge, verify } from "./support/oracle.ts";
import { createWitness, installWitness } from "./support/witness.ts";

const test = useTestDatabase();

/** Three products, each added and put in stock: six events, and the witness's six effects. */
const EVENTS = 12;
const RIGHT: Verdict = { events: EVENTS, missed: 0, twice: 0, outOfOrder: 0 };

describe("the oracle of the fault tests, with a load and a witness", () => {
  beforeAll(async () => {
    await installWitness(test.owner);
    const all = [
      ...readModelSubscriptions,
      ...app.handlers(test.command).map(subscribeHandler),
      subscribeHandler(createWitness(test.command)),
    ];
    for (let product = 0; product < EVENTS / 4; product++) await aProduct(test.command, { pieces: 5 });
    await drain(createRelay({ db: test.relay, subscriptions: all }), 10_000);
  });

  it("finds nothing wrong where nothing is", async () => {
    expect(await verify(test.owner, { acknowledged: [], witness: true })).toEqual(RIGHT);
  });

  it.each<[string, string, Partial<Verdict>]>([
    [
      "an effect that is missing",
      "update write.events set data = '{}' where ctid = (select max(ctid) from write.events where type = 'Witnessed')",
      { missed: 1 },
    ],
    [
      "an effect that came twice",
      `with again as (
        insert into write.events (id, stream, version, type, data, metadata)
        select gen_random_uuid(), stream, 2, type, data, metadata from write.events
        where type = 'Witnessed' and version = 1 limit 1 returning id, recorded_at
      )
      insert into relay.log select 13, id, recorded_at from again`,
      { events: EVENTS + 1, twice: 1, outOfOrder: 1 },
    ],
    [
      "a command that was done twice",
      `update write.events set metadata = metadata || '{"correlationId": "load-1"}' where type = 'StockReceived'`,
      { twice: 1 },
    ],
    [
      "versions that are left out, in the tables, in the log and by the witness",
      "update write.events set version = version + 1 where type = 'StockReceived'",
      { outOfOrder: 3 * EVENTS / 4 },
    ],
  ])("counts %s", async (_what, tampering, expected) => {
    expect(await judgeAfter(tampering, { acknowledged: [], witness: true })).toMatchObject(expected);
  });
});

/** Returns the oracle's verdict on a tampered database. A rollback then undoes the tampering. */
async function judgeAfter(tampering: string, given: Given): Promise<Verdict> {
  let verdict: Verdict | undefined;
  const undone = test.owner.transaction().execute(async (trx) => {
    await sql`alter table write.events disable trigger user`.execute(trx);
    await sql.raw(tampering).execute(trx);
    verdict = await judge(trx, given);
    throw new Error("Put back");
  });
  await expect(undone).rejects.toThrow("Put back");
  return verdict!;
}
