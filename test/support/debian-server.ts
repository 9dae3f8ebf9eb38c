import { existsSync } from "node:fs";
import { chmod, chown, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { freePort } from "./free-port.ts";
import { runAs, serverUser, type User } from "./server-user.ts";

const VERSIONS = "/usr/lib/postgresql";

/** Returns the folder of Debian's oldest PostgreSQL with `pg_dump` (npm's has none); undefined without. */
export async function findDebianPrograms(): Promise<string | undefined> {
  const versions = await readdir(VERSIONS).catch(() => []);
  const folders = versions.toSorted((one, other) => Number(one) - Number(other)).map((version) =>
    join(VERSIONS, version, "bin")
  );
  return folders.find((folder) => ["initdb", "pg_dump"].every((name) => existsSync(join(folder, name))));
}

export interface DebianServer {
  /** The superuser's URL, without a password. */
  readonly url: string;
  /** A folder with write access for the server's user: the folder of the socket, and of `data`. */
  readonly folder: string;
  readonly owner: User;
}

/** Starts a server of Debian's PostgreSQL for the tests of a file, with more environment variables. */
export function useDebianServer(
  programs: string,
  environment: (folder: string) => Record<string, string> = () => ({}),
): DebianServer {
  let server: DebianServer;
  const pgCtl = (...args: string[]) =>
    must(join(programs, "pg_ctl"), args, server.owner, environment(server.folder));
  const data = () => join(server.folder, "data");
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "cqrs-debian-"));
    await chmod(folder, 0o755);
    const owner = await serverUser();
    if (owner.uid !== undefined) await chown(folder, owner.uid, owner.gid!);
    const port = await freePort();
    server = { folder, owner, url: `postgres://postgres@127.0.0.1:${port}/postgres` };
    const options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"];
    await must(join(programs, "initdb"), ["-D", data(), ...options], owner);
    const settings =
      `-p ${port} -c listen_addresses=127.0.0.1,127.0.0.2,::1 -c unix_socket_directories=${folder} -c fsync=off`;
    await pgCtl("start", "-w", "-D", data(), "-l", join(folder, "log"), "-o", settings);
  });
  afterAll(async () => {
    await pgCtl("stop", "-w", "-D", data(), "-m", "immediate");
    await rm(server.folder, { recursive: true });
  });
  return {
    get url() {
      return server.url;
    },
    get folder() {
      return server.folder;
    },
    get owner() {
      return server.owner;
    },
  };
}

/** Runs a program to the end. @throws {Error} If the exit code is not 0. */
export async function must(
  program: string,
  args: string[],
  owner: User,
  environment: Record<string, string> = {},
): Promise<void> {
  const code = await runAs(owner, program, args, environment);
  if (code !== 0) throw new Error(`Cannot go on: ${program} ${args.join(" ")} ended with ${code}`);
}
