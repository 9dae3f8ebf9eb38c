import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import postgres from "postgres";
import { type Binaries, findBinaries, type Owner, serverOwner } from "./postgres-binaries.ts";

export interface EmbeddedPostgres {
  /** Of the superuser. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a real PostgreSQL from npm whose files are in `folder`, or takes over one that a killed process left.
 * It listens on 127.0.0.1 only, on a free port, and survives Ctrl-C in the terminal until it is stopped.
 *
 * @throws {Error} If another process uses the folder, or it cannot start: the message says what to do.
 */
export async function startEmbeddedPostgres(folder: string): Promise<EmbeddedPostgres> {
  await mkdir(resolve(folder), { recursive: true });
  const owner = await serverOwner(resolve(folder));
  const binaries = await findBinaries(owner);
  const data = join(owner.folder, "postgres");
  const password = await initialise(binaries, owner, data);

  if (await run(binaries.pg_ctl, ["status", "-D", data], owner) !== 0) await start(binaries, owner, data);
  const url = `postgres://postgres:${password}@127.0.0.1:${await portOf(data)}/postgres`;
  const claim = await claimServer(url, folder);
  return {
    url,
    async stop() {
      await claim.end({ timeout: 1 });
      await run(binaries.pg_ctl, ["stop", "-D", data, "-m", "fast", "-w"], owner);
    },
  };
}

/** Creates the data folder if there is none, in one step, so that two starts cannot meet half of it. */
async function initialise({ initdb }: Binaries, owner: Owner, data: string): Promise<string> {
  const password = await readFile(`${data}.password`, "utf8").catch(() => undefined);
  if (password !== undefined) return password;

  const fresh = randomBytes(16).toString("hex");
  const draft = `${data}.${process.pid}`;
  await writeFile(`${draft}.password`, fresh, { mode: 0o600 });
  await mkdir(draft, { recursive: true });
  if (owner.uid !== undefined) {
    await chown(draft, owner.uid, owner.gid!);
    await chown(`${draft}.password`, owner.uid, owner.gid!);
  }
  const options = [
    "-U",
    "postgres",
    "-A",
    "scram-sha-256",
    `--pwfile=${draft}.password`,
    "-E",
    "UTF8",
    "--locale=C",
  ];
  const code = await run(initdb, ["-D", draft, ...options], owner);
  if (code !== 0) throw new Error(`Cannot create the database in ${data}: initdb failed with code ${code}`);
  try {
    await rename(draft, data);
    await rename(`${draft}.password`, `${data}.password`);
    return fresh;
  } catch {
    await rm(draft, { recursive: true });
    throw inUse(data);
  }
}

async function start({ pg_ctl }: Binaries, owner: Owner, data: string): Promise<void> {
  const options = `-p ${await freePort()} -c listen_addresses=127.0.0.1 -c unix_socket_directories=`;
  const log = join(data, "server.log");
  if (await run(pg_ctl, ["start", "-D", data, "-l", log, "-w", "-o", options], owner) === 0) return;
  if (await run(pg_ctl, ["status", "-D", data], owner) === 0) throw inUse(data);
  const lastLine = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").at(-1);
  throw new Error(`Cannot start the database in ${data}: ${lastLine || "pg_ctl failed"}`);
}

/** The lock goes with its connection, so a process that was killed does not keep it. */
async function claimServer(url: string, folder: string): Promise<postgres.Sql> {
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
  throw inUse(folder);
}

function inUse(folder: string): Error {
  return new Error(
    `Cannot use the database in ${folder}: another process is using it; stop it, or set DATA_DIR`,
  );
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

/** Runs a program to its end and answers its exit code. No pipes: the server would keep them open. */
function run(program: string, args: string[], { uid, gid }: Owner): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const user = uid === undefined ? {} : { uid, gid: gid! };
    spawn(program, args, { stdio: "ignore", cwd: "/", env: { ...process.env, LC_ALL: "C" }, ...user })
      .on("error", reject).on("exit", resolve);
  });
}
