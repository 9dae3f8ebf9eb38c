import { execFile, spawn } from "node:child_process";
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { SESSION_SETTINGS } from "../../src/database/session-settings.ts";
import { until } from "./until.ts";
import { freePort } from "./free-port.ts";
import { serverUser } from "./server-user.ts";

/** Pooling by session, by transaction, or by transaction with prepared statements kept (1.21, newer). */
export type PoolMode = "session" | "transaction" | "transaction-prepared";

export interface PgBouncer {
  port: number;
  stop(): Promise<void>;
}

/** A line of the settings: parameters of the program's sessions are taken, and dropped. */
export const DROPS_STARTUP_PARAMETERS = `ignore_startup_parameters = ${
  ["statement_timeout", ...Object.keys(SESSION_SETTINGS)].join(", ")
}\n`;

/** Returns the path of the first PgBouncer in PATH, otherwise of Debian's; undefined if not installed. */
export async function findPgBouncer(): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  for (const path of folders.map((folder) => join(folder, "pgbouncer"))) {
    if (await access(path).then(() => true, () => false)) return path;
  }
  return undefined;
}

/** True from PgBouncer 1.21 on: prepared statements can be kept. The default depends on the version. */
export async function keepsPrepared(binary: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)(binary, ["--version"]);
  const [, major, minor] = /(\d+)\.(\d+)/.exec(stdout)!;
  return Number(major) > 1 || Number(minor) >= 21;
}

/**
 * Starts a PgBouncer in front of a server, for all present and future databases and logins.
 * `more` adds lines to the settings.
 */
export async function startPgBouncer(
  binary: string,
  adminUrl: string,
  mode: PoolMode,
  more = "",
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), "cqrs-pgbouncer-"));
  await chmod(folder, 0o755);
  const port = await freePort();
  const { username, password } = new URL(adminUrl);
  await writeFile(join(folder, "users"), `"${username}" "${decodeURIComponent(password)}"\n`);
  await writeFile(join(folder, "pgbouncer.ini"), toSettings(folder, adminUrl, port, mode) + more);
  // PgBouncer refuses to run as root.
  const { uid, gid } = await serverUser();
  const child = spawn(binary, [join(folder, "pgbouncer.ini")], {
    stdio: "ignore",
    ...uid !== undefined && { uid, gid: gid! },
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await until("PgBouncer takes connections", () => isOpen(port));
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

/** Returns the same URL on another port of this machine. */
export function throughPort(target: string, port: number): string {
  const url = new URL(target);
  url.host = `127.0.0.1:${port}`;
  return url.href;
}

/** Returns the settings. Logins are checked against the server's passwords: no second list is needed. */
function toSettings(folder: string, adminUrl: string, port: number, mode: PoolMode): string {
  const { hostname, port: serverPort, username } = new URL(adminUrl);
  return `[databases]
* = host=${hostname} port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, "users")}
auth_user = ${username}
auth_query = select usename, passwd from pg_catalog.pg_shadow where usename = $1
pool_mode = ${mode === "session" ? "session" : "transaction"}
default_pool_size = 40
${mode === "transaction-prepared" ? "max_prepared_statements = 200" : ""}
`;
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false)).on(
      "connect",
      () => socket.end(),
    );
  });
}
