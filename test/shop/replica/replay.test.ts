import { sql } from "kysely";
import { beforeAll, expect, it } from "vitest";
import { readModelSubscriptions } from "../support/shop.ts";
import type { Database } from "../../../src/database/database.ts";
import { isMigrated } from "../../../src/migrated.ts";
import { askStandby } from "../../../src/replica/ask.ts";
import { createStandby, type Standby } from "../../../src/replica/standby.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { reportListener } from "../../../src/relay/waking/listeners.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../../support/database.ts";
import { describeOnServer } from "../../support/postgres.ts";
import { useReplicatedServer } from "../../replica/replicated-server.ts";
import { until } from "../../support/until.ts";

/** Longer than a test takes. */
const SECONDS = 3_600;

const server = useReplicatedServer();
const test = useTestDatabase({ adminUrl: () => server.url });
let replicaDb: Database;
beforeAll(async () => {
  await server.caughtUp();
  replicaDb = test.open(server.onReplica(test.urls.query));
});

describeOnServer("a query that is in the way of what the replica replays", () => {
  /** Replaces the view during the first `conflicts` tries of a query. Returns the databases asked. */
  async function askInTheWay({ fallback, conflicts }: Pick<Standby, "fallback"> & { conflicts: number }) {
    const replica = createStandby({ db: replicaDb, watch: replicaDb, fallback }, isMigrated);
    const asked: ("replica" | "primary")[] = [];
    await askStandby(replica, test.query, async (db) => {
      asked.push(db === replicaDb ? "replica" : "primary");
      const seconds = asked.length <= conflicts ? SECONDS : 0;
      const query = sql`select pg_sleep(${seconds}) from (select count(*) from read.sales_by_day) as sales`;
      await Promise.all([query.execute(db), seconds > 0 && replaceSales()]);
    }).catch((error) => asked.push(error.code));
    return asked;
  }

  async function replaceSales(): Promise<void> {
    await until("the query is at work", async () => {
      const { rows } = await sql`
        select from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'`.execute(
        replicaDb,
      );
      return rows.length > 0;
    });
    await sql`refresh materialized view read.sales_by_day`.execute(test.owner);
  }

  beforeAll(async () => {
    const superuser = test.open(server.replicaUrl, { max: 1 });
    await sql`alter system set max_standby_streaming_delay = 0`.execute(superuser);
    await sql`select pg_reload_conf()`.execute(superuser);
  });

  it("is tried again", async () => {
    expect(await askInTheWay({ fallback: "none", conflicts: 1 })).toEqual(["replica", "replica"]);
  });

  it("is answered by the primary at the third time, if it may, and else with a serialization failure", async () => {
    expect(await askInTheWay({ fallback: "primary", conflicts: 2 })).toEqual([
      "replica",
      "replica",
      "primary",
    ]);
    expect(await askInTheWay({ fallback: "none", conflicts: 2 })).toEqual(["replica", "replica", "40001"]);
  });

  it("is not asked of the primary when it just takes too long", async () => {
    const impatient = test.open(server.onReplica(test.urls.query), { max: 1, deadlineMs: 50 });
    const replica = createStandby({ db: impatient, watch: replicaDb, fallback: "primary" }, isMigrated);
    const asking = askStandby(replica, test.query, async (db) => {
      expect(db).toBe(impatient);
      await sql`select pg_sleep(${SECONDS})`.execute(db);
    });
    await expect(asking).rejects.toMatchObject({ code: "57014" });
  });
});

describeOnServer("the As-Of of a replica that has replayed nothing since it was started", () => {
  it("is the newest time that its rows tell of", async () => {
    await aProduct(test.command);
    await drain(createRelay({ db: test.relay, subscriptions: readModelSubscriptions }), 5_000);
    await reportListener(test.relay).say(true);
    const { seen_at } = await test.owner.selectFrom("relay.listeners").select("seen_at")
      .executeTakeFirstOrThrow();
    await sql`checkpoint`.execute(test.open(server.url, { max: 1 }));
    await server.caughtUp();
    await server.delay(SECONDS * 1_000);
    await server.restartReplica();

    const { rows: [row] } = await sql`select pg_last_xact_replay_timestamp() as replayed`.execute(replicaDb);
    expect(row).toEqual({ replayed: null });
    const { as_of } = await replicaDb.selectFrom("read.freshness").select("as_of")
      .where("read_model", "=", "product_catalog").executeTakeFirstOrThrow();
    expect(as_of).toEqual(seen_at);
  });
});
