import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/database/database.ts";
import { examine } from "../../src/doctor/doctor.ts";
import type { Finding, Login } from "../../src/doctor/finding.ts";
import { checkTls } from "../../src/doctor/tls.ts";
import { limitsOf } from "../../src/process/limits.ts";
import { readMigrations } from "../../src/process/migrations.ts";
import { app } from "../jars/app.ts";
import { createAuthority, present } from "../support/certificates.ts";
import { useDebianServer } from "../support/debian-server.ts";
import { findComparable } from "../support/psql-server.ts";
import { saying } from "./ailments.ts";

const programs = await findComparable();

describe.skipIf(!programs)("the doctor, on the way to the server,", () => {
  const server = useDebianServer(programs!);
  const opened: Login[] = [];
  afterAll(() => Promise.all(opened.map(({ db }) => db.destroy())));

  async function find(host: string, parameters = ""): Promise<Finding> {
    const url = `${Object.assign(new URL(server.url), { hostname: host }).href}?${parameters}`;
    const login: Login = { role: "query", url, db: openDatabase(url, { max: 1 }) };
    opened.push(login);
    const [finding] = await checkTls([login]);
    return finding!;
  }

  it("finds nothing wrong without TLS on the server", async () => {
    expect(await find("127.0.0.2")).toMatchObject({ level: "ok" });
  });

  it("says why a login fails that wants TLS from such a server", async () => {
    const url = `${server.url}?sslmode=require`;
    const urls = { owner: url, command: url, query: url, relay: url, direct: url };
    const findings = await examine(urls, limitsOf(app), await readMigrations());
    expect(findings[0]).toEqual(
      saying("problem", "Cannot reach command", "The server takes no TLS connections"),
    );
  });

  describe("which takes TLS", () => {
    beforeAll(async () => {
      const authority = await createAuthority(server.folder, server.owner);
      await present(server, await authority.sign("other", "IP:127.0.0.2"));
    });

    it("warns of a connection that others could read", async () => {
      for (const parameters of ["", "sslmode=disable"]) {
        expect(await find("127.0.0.2", parameters)).toEqual(
          saying("warning", "is not encrypted, though the server takes TLS", "sslmode=verify-full"),
        );
      }
    });

    it("warns of a connection that anybody could answer", async () => {
      // A pooler may be elsewhere, though near its server.
      expect(await find("127.0.0.1", "sslmode=require&pooler=transaction")).toMatchObject({
        level: "warning",
      });
      for (const parameters of ["sslmode=prefer", "sslmode=require", "sslmode=require&pooler=transaction"]) {
        expect(await find("127.0.0.2", parameters)).toEqual(
          saying("warning", "does not check whether the server is the right one", "sslrootcert"),
        );
      }
    });

    it("finds nothing wrong with a server that shows its certificate, or is near, or behind a pooler", async () => {
      const authority = encodeURIComponent(await readFile(`${server.folder}/authority.crt`, "utf8"));
      for (const mode of ["verify-full", "verify-ca"]) {
        expect(await find("127.0.0.2", `sslmode=${mode}&sslrootcert=${authority}`)).toMatchObject({
          level: "ok",
        });
      }
      expect(await find("127.0.0.1")).toMatchObject({ level: "ok" });
      expect(await find("127.0.0.2", "pooler=transaction")).toMatchObject({ level: "ok" });
    });
  });
});
