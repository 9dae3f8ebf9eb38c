import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import type { DatabaseUrls } from "../../src/config.ts";
import { type Database, openDatabase } from "../../src/database/database.ts";
import { MIGRATIONS } from "../../src/migrated.ts";
import { provision } from "../../src/process/provision.ts";
import { app as jars } from "../jars/app.ts";
import { toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const NEWEST = MIGRATIONS.at(-1)!;

const app = useTestApp();

/** A database without migrations. */
const name = `t_${randomBytes(6).toString("hex")}`;
const opened: Database[] = [];
let urls: DatabaseUrls;
beforeAll(async () => {
  urls = await provision(inject("adminUrl"), name);
});
afterAll(async () => {
  await Promise.all(opened.map((db) => db.destroy()));
  const sql = postgres(inject("adminUrl"), { max: 1, fetch_types: false });
  await sql`drop database ${sql(name)} with (force)`;
  await sql`drop role ${sql(`${name}_owner`)}`;
  await sql.end();
});

async function requestOn(url: string, path: string) {
  const db = openDatabase(url, { max: 1 });
  opened.push(db);
  const parts = { databases: { commands: db, queries: db }, relay: { ...app.relay, db } };
  return await createHttp(jars).request(path, {}, parts);
}

describe("GET /health", () => {
  it("answers 200 as long as the process lives, whatever the database is", async () => {
    expect(await app.get("/health")).toMatchObject({ status: 200, body: { status: "ok" } });
    expect((await requestOn(urls.owner, "/health")).status).toBe(200);
  });
});

describe("GET /ready", () => {
  it("answers 200 on a migrated database", async () => {
    expect(await app.get("/ready")).toMatchObject({ status: 200, body: { status: "ready" } });
  });

  it("answers 503 before the migration, and names it", async () => {
    const answer = await toAnswer(await requestOn(urls.owner, "/ready"));
    expectProblem(answer, 503, "database-unavailable");
    expect(answer.body.detail).toContain(NEWEST);
  });

  it("answers 503 before the migration has made its login", async () => {
    expectProblem(await toAnswer(await requestOn(urls.command, "/ready")), 503, "database-unavailable");
  });

  it("answers 503 when the database is older than the code", async () => {
    const { owner } = app.database;
    const newest = await owner.withTables<
      { "migrations.applied": { name: string; checksum: string | null } }
    >()
      .deleteFrom("migrations.applied").where("name", "=", NEWEST).returningAll()
      .executeTakeFirstOrThrow();
    expectProblem(await app.get("/ready"), 503, "database-unavailable");
    await owner.withTables<{ "migrations.applied": { name: string; checksum: string | null } }>()
      .insertInto("migrations.applied").values(newest).execute();
    expect((await app.get("/ready")).status).toBe(200);
  });
});
