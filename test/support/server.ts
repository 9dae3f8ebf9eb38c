import { chmod, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { TestProject } from "vitest/node";
import { startPostgres } from "./postgres.ts";
import { startTestPooler, type TestPooler } from "./pooler.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The URL of a login with the right to create databases and roles. */
    adminUrl: string;
    /** The pooler between the run-time roles and the server; undefined without a pooler. */
    pooler: TestPooler | undefined;
  }
}

/**
 * Provides a single PostgreSQL for the run: `TEST_DATABASE_URL`, or a container where an engine answers,
 * or an embedded server (`TEST_PG` can choose). With `TEST_POOLER`, a PgBouncer is in front.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { kind, url, stop } = await startServer();
  const pooling = await startTestPooler(url);
  console.log(
    `Testing on PostgreSQL (${kind})${pooling ? ` behind PgBouncer (${process.env.TEST_POOLER})` : ""}`,
  );
  project.provide("adminUrl", url);
  project.provide("pooler", pooling?.pooler);
  return async () => {
    await pooling?.stop();
    await stop();
  };
}

async function startServer(): Promise<{ kind: string; url: string; stop(): Promise<void> }> {
  const { TEST_DATABASE_URL, TEST_PG = "auto" } = process.env;
  if (TEST_DATABASE_URL) {
    return {
      kind: "TEST_DATABASE_URL",
      url: TEST_DATABASE_URL,
      stop: () => Promise.resolve(),
    };
  }
  if (!["auto", "container", "embedded"].includes(TEST_PG)) {
    throw new Error(`Cannot test: TEST_PG is ${TEST_PG}, not auto, container or embedded`);
  }
  if (TEST_PG === "container" || (TEST_PG === "auto" && await engineAnswers())) return await startContainer();
  return await startEmbedded();
}

async function startContainer() {
  const { PostgreSqlContainer } = await import("@testcontainers/postgresql");
  const container = await new PostgreSqlContainer("postgres:18").start();
  return {
    kind: "container",
    url: container.getConnectionUri(),
    stop: async () => void await container.stop(),
  };
}

async function startEmbedded() {
  const folder = await mkdtemp(join(tmpdir(), "cqrs-test-"));
  await chmod(folder, 0o755);
  const server = await startPostgres(folder);
  return {
    kind: "embedded",
    url: server.url,
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** True when the container engine answers within a second. Testcontainers would hang on a silent socket. */
function engineAnswers(): Promise<boolean> {
  const host = new URL(process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock");
  const place = host.protocol === "unix:"
    ? { socketPath: host.pathname }
    : { host: host.hostname, port: host.port };
  return new Promise((resolve) => {
    const asked = request({ ...place, path: "/_ping", timeout: 1_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("timeout", () => asked.destroy()).on("error", () => resolve(false)).end();
  });
}
