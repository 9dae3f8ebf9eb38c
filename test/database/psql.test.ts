import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/database/database.ts";
import { isStatementRunning } from "../../src/database/running.ts";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { explainUnreached } from "../../src/process/unreached.ts";
import { present } from "../support/certificates.ts";
import { findComparable, usePsqlServer } from "../support/psql-server.ts";
import {
  FOR_OTHER_CLIENTS,
  REFUSED_AT_ONCE,
  REFUSED_BY_SERVER,
  TAKEN_BY_BOTH,
} from "../support/psql-urls.ts";
import { until } from "../support/until.ts";

const programs = await findComparable();

// A URL of each kind. The others are in test/faults/psql.test.ts.
describe.skipIf(!programs)("with a URL, the program", () => {
  const psql = usePsqlServer(programs!);

  it("connects as psql does", async () => {
    await psql.expectAsPsql(TAKEN_BY_BOTH);
  });

  it("leaves out what is for other clients, and psql refuses", async () => {
    await psql.expectLeftOut(FOR_OTHER_CLIENTS);
  });

  it("stops without asking a server, and says why", async () => {
    await psql.expectRefusals(REFUSED_AT_ONCE);
  });

  it("stops when the server refuses, or is not as the URL asks, and says why", async () => {
    await psql.expectRefusals(REFUSED_BY_SERVER);
  });

  it("says at migrate, too, why a server is out of reach", async () => {
    const url = `${psql.server.url}?sslmode=require`;
    const urls = { owner: url, command: url, query: url, relay: url, direct: url };
    const error = await migrateDatabase(urls).catch((error: unknown) => error);
    expect(explainUnreached(error, "DATABASE_DIRECT_URL")).toMatchObject({
      message: expect.stringMatching(/the server takes no TLS connections, .*; look at DATABASE_DIRECT_URL$/),
    });
  });

  it("finds a running statement in a database with a space in the name", async () => {
    const url = Object.assign(new URL(psql.server.url), { pathname: "/my%20shop" }).href;
    const db = openDatabase(url, { max: 1 });
    const text = "select pg_sleep(600)";
    const long = sql.raw(text).execute(db).catch((error: Error) => error.message);
    await until("it runs", () => isStatementRunning(url, text));
    await psql.admin(`select pg_cancel_backend(pid) from pg_stat_activity where query = '${text}'`);
    expect(await long).toContain("canceling statement");
    await db.destroy();
  });

  it("checks a certificate for an IP address as psql does", async () => {
    const { server, authority } = psql;
    await present(server, await authority.sign("address", "IP:127.0.0.1"));
    const at = (host: string, mode: string) =>
      `postgres://postgres@${host}:PORT/postgres?sslmode=${mode}&sslrootcert=FOLDER/authority.crt`;
    await psql.expectAsPsql([at("127.0.0.1", "verify-full"), at("localhost", "verify-ca")]);
    const wrong = at("localhost", "verify-full");
    await psql.expectPsqlRefuses([wrong]);
    await psql.expectRefusals([
      [wrong, "does not match certificate's altnames"],
      [
        "postgres://postgres@127.0.0.1:PORT/postgres?sslmode=verify-full",
        "name the authority's certificate in sslrootcert",
      ],
    ]);
  });
});
