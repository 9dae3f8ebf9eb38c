import { type ChildProcess, spawn } from "node:child_process";
import { access, chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll } from "vitest";
import { serverOwner } from "../../../src/process/postgres-binaries.ts";
import { until } from "../../support/until.ts";

/** Where Debian's PgBouncer is; undefined when it is not installed. */
export async function findPgBouncer(): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"];
  for (const path of folders.map((folder) => join(folder, "pgbouncer"))) {
    if (await access(path).then(() => true, () => false)) return path;
  }
  return undefined;
}

/** A PgBouncer that pools by transaction, in front of the database that the URL names. Answers the URL through it. */
export function usePgBouncer(binary: string, target: () => string): () => string {
  let child: ChildProcess;
  let folder: string;
  let port: number;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cqrs-pgbouncer-"));
    await chmod(folder, 0o755);
    port = await freePort();
    const { hostname, port: targetPort, username, password, pathname } = new URL(target());
    await writeFile(join(folder, "users"), `"${username}" "${password}"\n`);
    await writeFile(
      join(folder, "pgbouncer.ini"),
      `[databases]
${pathname.slice(1)} = host=${hostname} port=${targetPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, "users")}
pool_mode = transaction
ignore_startup_parameters = statement_timeout
`,
    );
    // It refuses to run as root.
    const { uid, gid } = await serverOwner(folder);
    child = spawn(binary, [join(folder, "pgbouncer.ini")], {
      stdio: "ignore",
      ...uid !== undefined && { uid, gid: gid! },
    });
    await until("PgBouncer takes connections", () => isOpen(port));
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    await rm(folder, { recursive: true });
  });
  return () => {
    const url = new URL(target());
    url.host = `127.0.0.1:${port}`;
    return url.href;
  };
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

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
