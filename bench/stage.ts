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
    untilCaughtUp: () => until(database, "the relay does not catch up", CAUGHT_UP),
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

/** Every event is handled: passed by all subscriptions, and in no lane. */
const CAUGHT_UP = `not exists (select from write.outbox) and not exists (select from relay.lanes)
  and (select min(position) from relay.checkpoints) = (select coalesce(max(position), 0) from relay.log)`;

/** Every event is in the read models. */
const SHOWN = `not exists (select from write.outbox)
  and (select min(position) from relay.checkpoints where to_regclass('read.' || subscription) is not null)
    = (select coalesce(max(position), 0) from relay.log)`;

/** Ends when every event is in the read models of a database: where no relay runs handlers. */
export const untilShown = (database: BenchDatabase) =>
  until(database, "the read models do not catch up", SHOWN);

async function until({ owner }: BenchDatabase, failure: string, condition: string): Promise<void> {
  const deadline = performance.now() + CAUGHT_UP_MS;
  for (;;) {
    const [row] = await owner.unsafe<[{ isSo: boolean }]>(`select ${condition} as "isSo"`);
    if (row.isSo) return;
    if (performance.now() > deadline) throw new Error(`Cannot go on: ${failure}`);
    await setTimeout(LOOK_AGAIN_MS);
  }
}
