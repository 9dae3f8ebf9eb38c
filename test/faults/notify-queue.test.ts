import { sql } from "kysely";
import type { Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { subscriptions } from "../../src/app.ts";
import { listListeners } from "../../src/relay/listeners.ts";
import { runRelay } from "../../src/relay/run.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";
import { useOwnServer } from "./support/own-server.ts";

/** The smallest that the server allows: half a megabyte. */
const QUEUE_PAGES = 64;
const NOTICED_MS = 15_000;
const QUEUE_FULL = { code: "54000" };

const server = useOwnServer();
const test = useTestDatabase({ adminUrl: () => server.url });
let stuck: Sql;

beforeAll(async () => {
  await sql`alter system set max_notify_queue_pages = ${sql.lit(QUEUE_PAGES)}`.execute(test.open(server.url));
  await server.restart("fast");
  stuck = test.driver(server.url);
});

const stopping = new AbortController();
let running: Promise<void> = Promise.resolve();

afterAll(async () => {
  stopping.abort();
  await running;
});

describe("a full queue of notifications", () => {
  it("fails whoever notifies, but no command; the relay polls, and empties the queue once it can", async () => {
    running = runRelay({ db: test.relay, subscriptions, delayMs: 0 }, test.urls.direct, stopping.signal);
    await untilListening(true);

    await getStuck();
    await fillQueue();
    await expect(notify(1)).rejects.toMatchObject(QUEUE_FULL);
    await untilShown(await aProduct(test.command));
    await untilListening(false);
    await untilShown(await aProduct(test.command));

    await stuck`rollback`;
    await untilListening(true);
    await notify(1);
    await untilShown(await aProduct(test.command));
  });
});

/** A session that listens and sits in an open transaction: it takes nothing out of the queue. */
async function getStuck(): Promise<void> {
  await stuck`listen nothing`;
  await stuck`begin`;
  await stuck`select 1`;
}

async function fillQueue(): Promise<void> {
  for (let pages = QUEUE_PAGES / 2; pages >= 1;) {
    await notify(pages).catch((error) => {
      expect(error).toMatchObject(QUEUE_FULL);
      pages /= 2;
    });
  }
}

/** Notifies nobody, with about as much as fills so many pages of the queue. */
async function notify(pages: number): Promise<void> {
  await sql`
    select pg_notify('nobody', place || repeat('x', 7900)) from generate_series(1, ${pages}::integer) as place`
    .execute(test.owner);
}

async function untilListening(listening: boolean): Promise<void> {
  await until(`it ${listening ? "hears" : "is deaf"}, and says so`, async () => {
    const relays = await listListeners(test.relay);
    return relays.length === 1 && relays[0]!.listening === listening;
  }, NOTICED_MS);
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
