import { sql } from "kysely";
import type { Sql } from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { describeOnServer } from "../support/postgres.ts";
import { useOwnServer } from "./support/own-server.ts";
import { watchedRelay } from "./support/watched-relay.ts";

/** The server's minimum: half a megabyte. */
const QUEUE_PAGES = 64;
const QUEUE_FULL = { code: "54000" };

const server = useOwnServer();
const test = useTestDatabase({ jars: true, adminUrl: () => server.url });
let stuck: Sql;

beforeAll(async () => {
  await sql`alter system set max_notify_queue_pages = ${sql.lit(QUEUE_PAGES)}`.execute(test.open(server.url));
  await server.restart("fast");
  stuck = test.driver(server.url);
});

const relay = watchedRelay(test);

afterAll(relay.stop);

describeOnServer("a full queue of notifications", () => {
  it("fails whoever notifies, but no command; the relay polls, and empties the queue once it can", async () => {
    relay.start(test.urls.direct);
    await relay.untilListening(true);

    await getStuck();
    await fillQueue();
    await expect(notify(1)).rejects.toMatchObject(QUEUE_FULL);
    await relay.openAndSee();
    await relay.untilListening(false);
    await relay.openAndSee();

    await stuck`rollback`;
    await relay.untilListening(true);
    await notify(1);
    await relay.openAndSee();
    await relay.verify("NOTIFY queue full", "commands went on, the queue was emptied");
  });
});

/** Keeps a listening session in an open transaction: the session takes nothing out of the queue. */
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

/** Fills about `pages` pages of the queue with notifications on a channel without listeners. */
async function notify(pages: number): Promise<void> {
  await sql`
    select pg_notify('nobody', place || repeat('x', 7900)) from generate_series(1, ${pages}::integer) as place`
    .execute(test.owner);
}
