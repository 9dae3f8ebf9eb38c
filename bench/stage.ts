import { setTimeout } from "node:timers/promises";
import { type BenchDatabase, createDatabase } from "./bench-database.ts";
import { fillOrders } from "./fill.ts";
import { type LoadWorker, startLoadWorker } from "./load-worker.ts";
import { type PostgresServer, startPostgresServer } from "./postgres-server.ts";
import { type Server, startServer } from "./server.ts";

/** The parts of a run: a PostgreSQL, the real server, and a process for each kind of load. */
export interface Stage {
  postgres: PostgresServer;
  database: BenchDatabase;
  /** A second database, without a server. */
  scratch: BenchDatabase;
  server: Server;
  http: LoadWorker;
  raw: LoadWorker;
  /** Ends when the relay has handled every event: leftovers would burden the next measurement. */
  untilCaughtUp(): Promise<void>;
  /** Restarts the server, with new connections to the database. */
  restartServer(): Promise<void>;
}

/** The number of orders in the server's database at the start. */
export const ORDERS = 10_000;

/** Sets up the stage. Adds an end for each started part to `cleanups`, in order, even before a failure. */
export async function setUp(cleanups: (() => Promise<void>)[]): Promise<Stage> {
  const postgres = await startPostgresServer();
  cleanups.push(postgres.stop);
  const database = await createDatabase(postgres.adminUrl);
  cleanups.push(database.drop);
  const scratch = await createDatabase(postgres.adminUrl);
  cleanups.push(scratch.drop);
  await fillOrders(database.owner, ORDERS);
  const [http, raw] = [startLoadWorker(), startLoadWorker()];
  cleanups.push(http.stop, raw.stop);
  const stage: Stage = {
    postgres,
    database,
    scratch,
    server: await startServer(database.urls),
    http,
    raw,
    untilCaughtUp: () => untilCaughtUp(database),
    async restartServer() {
      await stage.server.stop();
      stage.server = await startServer(database.urls);
    },
  };
  cleanups.push(() => stage.server.stop());
  return stage;
}

const CAUGHT_UP_MS = 60_000;
const LOOK_AGAIN_MS = 50;

async function untilCaughtUp({ owner }: BenchDatabase): Promise<void> {
  const deadline = performance.now() + CAUGHT_UP_MS;
  for (;;) {
    const [row] = await owner<[{ caughtUp: boolean }]>`
      select not exists (select from write.outbox)
        and (select min(position) from relay.checkpoints) = (select coalesce(max(position), 0) from relay.log)
        as "caughtUp"`;
    if (row.caughtUp) return;
    if (performance.now() > deadline) throw new Error("Cannot go on: the relay does not catch up");
    await setTimeout(LOOK_AGAIN_MS);
  }
}
