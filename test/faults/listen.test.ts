import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { subscriptions } from "../../src/app.ts";
import { listListeners } from "../../src/relay/listeners.ts";
import { runRelay } from "../../src/relay/run.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { useProxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { findPgBouncer, usePgBouncer } from "./support/pgbouncer.ts";

const NOTICED_MS = 15_000;

const test = useTestDatabase();
const proxy = useProxy(() => test.urls.direct);
const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: the relay behind PgBouncer, there is no PgBouncer");

let stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

afterEach(async () => {
  stopping.abort();
  await running;
  expect(await listListeners(test.relay)).toEqual([]);
});

function startRelay(directUrl: string): void {
  stopping = new AbortController();
  running = runRelay({ db: test.relay, subscriptions, delayMs: 0 }, directUrl, stopping.signal);
}

describe("a relay whose listening connection", () => {
  it("is terminated hears again, and says so", async () => {
    startRelay(test.urls.direct);
    const before = await untilListening(true);
    const { rows } = await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where query = 'listen relay' and datname = current_database()`.execute(test.relay);
    expect(rows).toHaveLength(1);
    const noticed = performance.now();
    await untilShown(await aProduct(test.command));
    await until("it hears again", async () => {
      const [relay] = await listListeners(test.relay);
      return relay?.listening && relay.since > before.since;
    }, NOTICED_MS);
    printNoticed("terminated", noticed);
  });

  it("is half-open notices, polls meanwhile, and hears again", async () => {
    startRelay(proxy.url(test.urls.direct));
    await untilListening(true);
    proxy.blackHole = true;
    const broken = performance.now();
    await untilShown(await aProduct(test.command));
    await untilListening(false);
    printNoticed("half-open", broken);
    await untilShown(await aProduct(test.command));
    proxy.blackHole = false;
    proxy.cut();
    await untilListening(true);
  });

  it("is refused at the start polls meanwhile, and hears once it can", async () => {
    await proxy.close();
    startRelay(proxy.url(test.urls.direct));
    const broken = performance.now();
    await untilListening(false);
    printNoticed("refused", broken);
    await untilShown(await aProduct(test.command));
    await proxy.open();
    await untilListening(true);
  });
});

describe.skipIf(!pgBouncer)("a relay that listens through a transaction pooler", () => {
  const pooled = usePgBouncer(pgBouncer ?? "", () => test.urls.direct);

  it("notices that it hears nothing, and polls", async () => {
    startRelay(pooled());
    const broken = performance.now();
    await untilShown(await aProduct(test.command));
    await untilListening(false);
    printNoticed("through a pooler", broken);
    await untilShown(await aProduct(test.command));
  });
});

async function untilListening(listening: boolean) {
  return await until(`it ${listening ? "hears" : "is deaf"}, and says so`, async () => {
    const relays = await listListeners(test.relay);
    return relays.length === 1 && relays[0]!.listening === listening && relays[0]!;
  }, NOTICED_MS);
}

function printNoticed(fault: string, since: number): void {
  console.log(`listening, ${fault}: noticed after ${((performance.now() - since) / 1_000).toFixed(1)} s`);
}

async function untilShown(id: string): Promise<void> {
  await until(`product ${id} is shown`, async () => {
    const shown = await test.query.selectFrom("read.product_catalog").select("name").where(
      "product_id",
      "=",
      id,
    )
      .execute();
    return shown.length > 0;
  });
}
