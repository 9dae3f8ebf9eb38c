import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import postgres from "postgres";
import type { RunningPostgres } from "../process/room.ts";
import { type Binaries, findBinaries, type Owner, serverOwner } from "./postgres-binaries.ts";
import { initialise, inUse } from "./postgres-data.ts";
import { run } from "./run.ts";

const START_MS = 30_000;
const LOOK_AGAIN_MS = 50;
/** Enough for several processes of the program at a time. */
const CONNECTIONS_MAX = 300;

/**
 * Starts a real PostgreSQL from npm with the files in `folder`, or takes over a server left by a killed
 * process. The server listens only on 127.0.0.1, on a free port, and survives Ctrl-C in the terminal until
 * `stop`.
 *
 * @see docs/embedded-postgres.md
 * @throws {Error} If another process uses the folder, or the server cannot start: do as the message says.
 */
export async function startEmbeddedPostgres(folder: string): Promise<RunningPostgres> {
  await mkdir(resolve(folder), { recursive: true });
  const owner = await serverOwner(resolve(folder));
  const binaries = await findBinaries(owner);
  const data = join(owner.folder, "postgres");
  const password = await initialise(binaries, owner, data);

  const { url, claim } = await startAndClaim(binaries, owner, data, password);
  return {
    url,
    async stop() {
      await claim.end({ timeout: 1 });
      await run(binaries.pg_ctl, ["stop", "-D", data, "-m", "fast", "-w"], owner);
    },
  };
}

/** Starts the server unless running, and claims it. Waits while another process starts or stops it. */
async function startAndClaim(binaries: Binaries, owner: Owner, data: string, password: string) {
  for (const deadline = performance.now() + START_MS;;) {
    if (!await isRunning(binaries, owner, data)) await start(binaries, owner, data);
    try {
      const url = `postgres://postgres:${password}@127.0.0.1:${await portOf(data)}/postgres`;
      return { url, claim: await claimServer(url, data) };
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadline) throw error;
    }
    await setTimeout(LOOK_AGAIN_MS);
  }
}

async function start(binaries: Binaries, owner: Owner, data: string): Promise<void> {
  const place = `-p ${await freePort()} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
  const options = `${place} -c max_connections=${CONNECTIONS_MAX}`;
  const log = join(data, "server.log");
  if (await run(binaries.pg_ctl, ["start", "-D", data, "-l", log, "-w", "-o", options], owner) === 0) return;
  if (await isRunning(binaries, owner, data)) return;
  const lastLine = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").at(-1);
  throw new Error(`Cannot start the database in ${data}: ${lastLine || "pg_ctl failed"}`);
}

async function isRunning({ pg_ctl }: Binaries, owner: Owner, data: string): Promise<boolean> {
  return await run(pg_ctl, ["status", "-D", data], owner) === 0;
}

/** Locks the server for the process. The lock ends with the connection: a killed process keeps no lock. */
async function claimServer(url: string, data: string): Promise<postgres.Sql> {
  const sql = postgres(url, {
    max: 1,
    idle_timeout: 0,
    max_lifetime: null,
    fetch_types: false,
    onnotice: () => {},
  });
  const [row] = await sql<{ claimed: boolean }[]>`select pg_try_advisory_lock(1) as claimed`;
  if (row?.claimed) return sql;
  await sql.end();
  throw inUse(data);
}

/** Returns true if the server cannot be reached, or is starting or stopping. */
function isPassing(error: unknown): boolean {
  const { code } = error as { code?: string };
  return ["ENOENT", "ECONNREFUSED", "ECONNRESET", "CONNECTION_CLOSED", "57P01", "57P03"].includes(code ?? "");
}

async function portOf(data: string): Promise<number> {
  return Number((await readFile(join(data, "postmaster.pid"), "utf8")).split("\n")[3]);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? address!.port : 0));
    });
  });
}
