import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { type Pooler, withPooler } from "../../src/database/pooler.ts";
import { checkSettings } from "../../src/doctor/settings.ts";
import { createAnew, useTestDatabase } from "../support/database.ts";
import { useDatabases } from "../support/databases.ts";
import {
  DROPS_STARTUP_PARAMETERS,
  findPgBouncer,
  type PgBouncer,
  type PoolMode,
  startPgBouncer,
  throughPort,
} from "../support/pgbouncer.ts";
import { ailments, saying } from "./ailments.ts";

const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: the doctor's settings behind PgBouncer, there is no PgBouncer");

describe("the doctor", () => {
  const databases = useDatabases(() => inject("adminUrl"));

  it.each([
    ["UTF8", []],
    ["LATIN1", [saying("problem", "server_encoding is LATIN1", "Use a database with the encoding UTF8")]],
    ["SQL_ASCII", [
      saying("problem", "server_encoding is SQL_ASCII", "Use a database with the encoding UTF8"),
    ]],
  ])("notices the locale C, and the encoding %s", async (encoding, more) => {
    const urls = await databases.create();
    const name = new URL(urls.owner).pathname.slice(1);
    await createAnew(inject("adminUrl"), name, `encoding '${encoding}' locale_provider libc locale 'C'`);
    const findings = await checkSettings([{
      role: "query",
      url: urls.owner,
      db: databases.open(urls.owner),
    }]);
    expect(findings.filter(({ level }) => level !== "ok")).toEqual([
      ...more,
      saying("warning", "knows no letters beyond ASCII", "C.UTF-8"),
    ]);
  });
});

describe.skipIf(!pgBouncer)("the doctor, of a login without the settings of migrate,", () => {
  const test = useTestDatabase({ adminUrl: () => inject("adminUrl") });
  const poolings: PgBouncer[] = [];
  const ISOLATION = "default_transaction_isolation";
  beforeAll(async () => {
    const login = `alter role "${test.name}_query" in database "${test.name}"`;
    await sql.raw(`
      ${login} reset ${ISOLATION};
      ${login} reset TimeZone;
      alter database "${test.name}" set ${ISOLATION} = 'serializable';
      alter database "${test.name}" set TimeZone = 'Asia/Kathmandu'`).execute(test.owner);
  });
  afterAll(() => Promise.all(poolings.map(({ stop }) => stop())));

  async function examined(mode: PoolMode, said: Pooler, more = "") {
    const pooling = await startPgBouncer(pgBouncer!, inject("adminUrl"), mode, more);
    poolings.push(pooling);
    return await ailments(test, { query: withPooler(throughPort(test.urls.query, pooling.port), said) });
  }

  it("finds nothing wrong with direct connections, which bring them", async () => {
    expect(await ailments(test)).toEqual([]);
  });

  it("notices those of the database behind a pooler, harmful or not", async () => {
    expect(await examined("transaction", "transaction")).toEqual([
      saying(
        "problem",
        `: TimeZone is Asia/Kathmandu, ${ISOLATION} is serializable`,
        'Run "npm run migrate"',
      ),
    ]);
  });

  it("notices a pooler that drops what a connection brings", async () => {
    expect(await examined("session", "none", DROPS_STARTUP_PARAMETERS)).toEqual([
      saying("problem", `: ${ISOLATION} is serializable`, 'Run "npm run migrate"'),
    ]);
  });

  it("only warns of what harms statements of one's own", async () => {
    await sql.raw(`alter database "${test.name}" reset ${ISOLATION}`).execute(test.owner);
    expect(await examined("transaction", "transaction")).toEqual([
      saying("warning", ": TimeZone is Asia/Kathmandu", 'Run "npm run migrate"'),
    ]);
  });
});
