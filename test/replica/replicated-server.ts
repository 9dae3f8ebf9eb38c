import { execFile } from "node:child_process";
import { appendFile, chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import { afterAll, beforeAll } from "vitest";
import { type OwnPostgres, startPostgres } from "../support/postgres.ts";
import { until } from "../support/until.ts";

export interface ReplicatedServer {
  /** The superuser's URL on the primary. */
  readonly url: string;
  /** The superuser's URL on the replica. */
  readonly replicaUrl: string;
  /** Returns the same URL on the replica. */
  onReplica(url: string): string;
  /** Makes the replica receive changes without showing them, until `resume`. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Makes the replica show a commit `ms` after the commit, at the earliest. */
  delay(ms: number): Promise<void>;
  /** Stops the replica in good order and starts the replica again. */
  restartReplica(): Promise<void>;
  /** Waits until the replica shows all commits made before the call. */
  caughtUp(): Promise<void>;
}

/** Starts a PostgreSQL with a streaming replica, only for the tests of a file. */
export function useReplicatedServer(): ReplicatedServer {
  let folder: string;
  let [primary, replica]: OwnPostgres[] = [];
  let [onPrimary, onReplica]: postgres.Sql[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cqrs-replicated-"));
    await chmod(folder, 0o755);
    await mkdir(join(folder, "primary"));
    await chmod(join(folder, "primary"), 0o755);
    await (await startPostgres(join(folder, "primary"))).stop();
    await copyData(join(folder, "primary"), join(folder, "replica"));
    primary = await startPostgres(join(folder, "primary"));
    await makeStandby(join(folder, "replica", "postgres"), primary.url);
    replica = await startPostgres(join(folder, "replica"));
    [onPrimary, onReplica] = [primary, replica].map(({ url }) =>
      postgres(url, { max: 1, fetch_types: false, onnotice: () => {} })
    );
  });
  afterAll(async () => {
    await Promise.all([onPrimary?.end(), onReplica?.end()]);
    await replica?.stop();
    await primary?.stop();
    await rm(folder, { recursive: true });
  });
  return {
    get url() {
      return primary!.url;
    },
    get replicaUrl() {
      return replica!.url;
    },
    onReplica: (url) => Object.assign(new URL(url), { port: new URL(replica!.url).port }).href,
    async pause() {
      await onReplica!`select pg_wal_replay_pause()`;
      await until("the replica pauses", async () => {
        const [row] = await onReplica!`select pg_get_wal_replay_pause_state() as state`;
        return row!.state === "paused";
      });
    },
    resume: async () => void await onReplica!`select pg_wal_replay_resume()`,
    async delay(ms) {
      await onReplica!.unsafe(`alter system set recovery_min_apply_delay = ${ms}`);
      await onReplica!`select pg_reload_conf()`;
    },
    async restartReplica() {
      await onReplica!`checkpoint`;
      await replica!.restart("fast");
    },
    async caughtUp() {
      const [{ position }] = await onPrimary!`select pg_current_wal_insert_lsn()::text as position` as [
        { position: string },
      ];
      await until("the replica has caught up", async () => {
        const [row] =
          await onReplica!`select pg_last_wal_replay_lsn() >= ${position}::text::pg_lsn as has_it`;
        return row!.has_it;
      });
    },
  };
}

/** Copies the files of a stopped server, with their owner: the server's user. */
async function copyData(from: string, to: string): Promise<void> {
  await mkdir(to);
  await Promise.all([from, to].map((folder) => chmod(folder, 0o755)));
  await promisify(execFile)("cp", ["-a", join(from, "postgres"), to]);
}

async function makeStandby(data: string, primaryUrl: string): Promise<void> {
  const { hostname, port, username, password } = new URL(primaryUrl);
  const conninfo = `host=${hostname} port=${port} user=${username} password=${password}`;
  await appendFile(join(data, "postgresql.auto.conf"), `primary_conninfo = '${conninfo}'\n`);
  await writeFile(join(data, "standby.signal"), "");
}
