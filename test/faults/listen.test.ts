import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { listListeners } from "../../src/relay/waking/listeners.ts";
import { useTestDatabase } from "../support/database.ts";
import { findPgBouncer, type PgBouncer, startPgBouncer, throughPort } from "../support/pgbouncer.ts";
import { useProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { watchedRelay } from "./support/watched-relay.ts";

const NOTICED_MS = 15_000;

const test = useTestDatabase({ jars: true });
const proxy = useProxy(() => test.urls.direct);
const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: the relay behind PgBouncer, there is no PgBouncer");

const relay = watchedRelay(test);
const noticed: string[] = [];

afterEach(async () => {
  await relay.verify("Listening connection lost", noticed.splice(0).join(", "));
  await relay.stop();
  expect(await listListeners(test.relay)).toEqual([]);
});

describe("a relay whose listening connection", () => {
  it("is terminated hears again, and says so", async () => {
    relay.start(test.urls.direct);
    const before = await relay.untilListening(true);
    const { rows } = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where query = 'listen relay' and datname = current_database()`.execute(test.relay);
    expect(rows).toHaveLength(1);
    const broken = performance.now();
    await relay.openAndSee();
    await until("it hears again", async () => {
      const [listener] = await listListeners(test.relay);
      return listener?.listening && listener.since > before.since;
    }, NOTICED_MS);
    printNoticed("terminated", broken);
  });

  it("is half-open notices, polls meanwhile, and hears again", async () => {
    relay.start(proxy.url(test.urls.direct));
    await relay.untilListening(true);
    proxy.blackHole = true;
    const broken = performance.now();
    await relay.openAndSee();
    await relay.untilListening(false);
    printNoticed("half-open", broken);
    await relay.openAndSee();
    proxy.blackHole = false;
    proxy.cut();
    await relay.untilListening(true);
  });

  it("is refused at the start polls meanwhile, and hears once it can", async () => {
    await proxy.close();
    relay.start(proxy.url(test.urls.direct));
    const broken = performance.now();
    await relay.untilListening(false);
    printNoticed("refused", broken);
    await relay.openAndSee();
    await proxy.open();
    await relay.untilListening(true);
  });
});

describe.skipIf(!pgBouncer)("a relay that listens through a transaction pooler", () => {
  let pooling: PgBouncer;
  beforeAll(async () => {
    pooling = await startPgBouncer(pgBouncer!, inject("adminUrl"), "transaction");
  });
  afterAll(() => pooling.stop());

  it("notices that it hears nothing, and polls", async () => {
    relay.start(throughPort(test.urls.direct, pooling.port));
    const broken = performance.now();
    await relay.openAndSee();
    await relay.untilListening(false);
    printNoticed("through a pooler", broken);
    await relay.openAndSee();
  });
});

function printNoticed(fault: string, since: number): void {
  noticed.push(`${fault}: noticed after ${((performance.now() - since) / 1_000).toFixed(1)} s`);
}
