import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { app } from "../jars/app.ts";
import { aJar } from "../jars/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { judge, verify } from "./support/oracle.ts";
import type { Verdict } from "./support/report.ts";

const test = useTestDatabase({ jars: true });

/** Three jars, each opened and filled. */
const EVENTS = 6;
const RIGHT: Verdict = { events: EVENTS, missed: 0, twice: 0, outOfOrder: 0 };
const subscriptions = app.readModels.map(({ name }) => name);

describe("the oracle of the fault tests", () => {
  beforeAll(async () => {
    for (let jar = 0; jar < EVENTS / 2; jar++) await aJar(test.command, { grams: 5 });
    const all = app.readModels.map(subscribeReadModel);
    await drain(createRelay({ db: test.relay, subscriptions: all }), 10_000);
  });

  it("finds nothing wrong where nothing is", async () => {
    expect(await verify(test.owner, { acknowledged: [], subscriptions })).toEqual(RIGHT);
  });

  it("misses an acknowledged event that is not stored", async () => {
    const acknowledged = [crypto.randomUUID()];
    expect(await verify(test.owner, { acknowledged, subscriptions })).toEqual({ ...RIGHT, missed: 1 });
  });

  it.each<[string, string, Partial<Verdict>]>([
    [
      "a position left out, and an event that has none",
      "delete from relay.log where position = 2",
      { events: EVENTS - 1, missed: 2, outOfOrder: 0 },
    ],
    [
      "a position of an event that is not stored",
      "insert into relay.log values (7, gen_random_uuid(), now())",
      { events: EVENTS + 1, missed: 1 },
    ],
    [
      "a row that a read model does not show",
      "delete from read.jar_details where ctid = (select min(ctid) from read.jar_details)",
      { missed: 1 },
    ],
    [
      "a row that a read model should not show",
      "insert into read.jar_details select gen_random_uuid(), label, 1, 1 from read.jar_details limit 1",
      { missed: 1 },
    ],
    [
      "versions that are left out, in the tables and in the log",
      "update write.events set version = version + 1 where type = 'JarFilled'",
      { outOfOrder: EVENTS },
    ],
    [
      "a stream in the log in another order than its versions",
      `update relay.log set position = 10 - position where position <= 2;
      update relay.log set position = position - 7 where position >= 8`,
      { outOfOrder: 2 },
    ],
  ])("counts %s", async (_what, tampering, expected) => {
    expect(await judgeAfter(tampering)).toEqual({ ...RIGHT, ...expected });
  });

  it("makes the checks of its caller, too", async () => {
    const offenders = sql<{ offender: string }>`select label as offender from write.jars`;
    const checks = [{ kind: "twice" as const, what: "A jar", offenders }];
    expect(await judge(test.owner, { acknowledged: [], checks })).toEqual({ ...RIGHT, twice: EVENTS / 2 });
  });
});

/** Returns the oracle's verdict on a tampered database. A rollback then undoes the tampering. */
async function judgeAfter(tampering: string): Promise<Verdict> {
  let verdict: Verdict | undefined;
  const undone = test.owner.transaction().execute(async (trx) => {
    await sql`alter table write.events disable trigger user`.execute(trx);
    await sql.raw(tampering).execute(trx);
    verdict = await judge(trx, { acknowledged: [] });
    throw new Error("Put back");
  });
  await expect(undone).rejects.toThrow("Put back");
  return verdict!;
}
