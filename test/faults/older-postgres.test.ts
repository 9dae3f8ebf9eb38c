import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { useDatabases } from "../support/databases.ts";
import { findDebianPrograms, useDebianServer } from "../support/debian-server.ts";
import { testOwners } from "../support/owners.ts";

const programs = await findDebianPrograms();
if (!programs) console.log("skipped: an older PostgreSQL, there is none in /usr/lib/postgresql");

describe.skipIf(!programs)("on an older PostgreSQL", () => {
  const server = useDebianServer(programs!);

  testOwners(() => server.url, {
    copies: ["template", "rename"],
    names: ["my shop", "café", "50%25", `it's "quoted"`, "x".repeat(55)],
  });

  describe("the server's log", () => {
    const databases = useDatabases(() => server.url);

    it("shows no password, though it shows every change of a role", async () => {
      await databases.asAdmin("alter system set log_statement = 'ddl'");
      await databases.asAdmin("select pg_reload_conf()");
      const urls = await databases.create();
      await migrateDatabase(urls);
      const log = await readFile(join(server.folder, "log"), "utf8");
      expect(log).toMatch(/alter role "\w+_command" login password 'SCRAM-SHA-256\$/);
      for (const url of Object.values(urls)) expect(log).not.toContain(new URL(url).password);
    });
  });
});
