import { readFile } from "node:fs/promises";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { isMigrated } from "../../src/migrated.ts";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { type Databases, useDatabases } from "./databases.ts";

const ROLES_FILE = new URL("../../migrations/roles.sql", import.meta.url);
const PUBLIC = ["command", "query", "relay"] as const;

const REFUSED_NAMES: [name: string, reason: string][] = [
  ["x".repeat(56), "use a name of 55 bytes at most"],
  ["é".repeat(31), "has 62 bytes"],
  ["pg", "reserves role names"],
  ["pg_shop", "reserves role names"],
];

const nameIn = (url: string) => decodeURIComponent(new URL(url).pathname.slice(1));
const userIn = (url: string) => decodeURIComponent(new URL(url).username);

export interface Cases {
  /** How a database gets another name. */
  copies: ("template" | "rename")[];
  /** Names of databases. */
  names: string[];
}

/** Tests databases as people have them, whose owners are no superusers, on a server. */
export function testOwners(adminUrl: () => string, { copies, names }: Cases): void {
  const databases = useDatabases(adminUrl);
  const { asAdmin, create, open } = databases;

  /** Expects that every role can log in and sees a migrated database. */
  async function expectReady(urls: DatabaseUrls): Promise<void> {
    for (const role of PUBLIC) expect(await isMigrated(open(urls[role]))).toBe(true);
    await sql`select count(*) from write.events`.execute(open(urls.command));
    await expect(sql`select from write.events`.execute(open(urls.query))).rejects.toThrow(
      "permission denied",
    );
  }

  describe("an owner without CREATEROLE", () => {
    it("is told which role is missing, and what an admin has to run; afterwards needs no admin", async () => {
      const urls = await create();
      const [owner, database] = [userIn(urls.owner), nameIn(urls.owner)];
      await asAdmin(`alter role ${owner} nocreaterole`);
      await expect(migrateDatabase(urls)).rejects.toThrow(
        `Cannot migrate: ${owner} may not create the role "${database}_command"; have an admin run ` +
          `the file migrations/roles.sql with psql in database "${database}", or alter role ${owner} createrole`,
      );

      await asAdmin(await readFile(ROLES_FILE, "utf8"), urls.owner);
      const [trust] = await asAdmin("select from pg_hba_file_rules where auth_method = 'trust'");
      // A server that trusts everybody lets a role in without any password.
      if (!trust) {
        await expect(migrateDatabase(urls)).rejects.toThrow(
          new RegExp(
            `^Cannot migrate: the password of the role "${database}_command" cannot be set .*permission denied`,
          ),
        );
      }
      for (const role of PUBLIC) {
        const { username, password } = new URL(urls[role]);
        await asAdmin(`alter role ${username} login password '${password}'`);
      }
      await migrateDatabase(urls);
      await expectReady(urls);
      expect(await migrateDatabase(urls)).toEqual([]);
    });
  });

  describe("an owner with CREATEROLE, and roles that somebody else has made", () => {
    it("is told which role, and the grant that helps, from PostgreSQL 16 on", async () => {
      const urls = await create();
      const [owner, database] = [userIn(urls.owner), nameIn(urls.owner)];
      for (const role of PUBLIC) await asAdmin(`create role ${database}_${role}`);
      const [version] = await asAdmin(
        "select current_setting('server_version_num')::integer >= 160000 as new",
      );
      if (version!.new) {
        const grant =
          `grant ${database}_command, ${database}_query, ${database}_relay to ${owner} with admin option`;
        await expect(migrateDatabase(urls)).rejects.toThrow(
          `Cannot migrate: ${owner} may not alter the role "${database}_command"; have an admin run ${grant}`,
        );
        await asAdmin(grant);
      }
      await migrateDatabase(urls);
      await expectReady(urls);
    });
  });

  describe("an owner of the schemas who does not own the database", () => {
    it("is told what its owner has to run when the roles may not connect", async () => {
      const urls = await create();
      const [owner, database] = [userIn(urls.owner), nameIn(urls.owner)];
      await asAdmin(
        `alter database ${database} owner to current_user; alter schema public owner to current_user;
        grant create, connect on database ${database} to ${owner}; revoke connect on database ${database} from public`,
      );
      const grant = `grant connect on database "${database}" to "${database}_command"`;
      await expect(migrateDatabase(urls)).rejects.toThrow(`have the owner of the database run ${grant}`);
      await asAdmin(`grant connect on database ${database} to public`);
      await migrateDatabase(urls);
      await expectReady(urls);
    });
  });

  describe("a copy of a database", () => {
    it.each(copies)("by %s gets roles of its own, and the former have no rights there", async (how) => {
      const urls = await create();
      await migrateDatabase(urls);
      const copy = databases.name("copy");
      const former = nameIn(urls.owner);
      await asAdmin(
        how === "template"
          ? `create database ${copy} template ${former} owner ${userIn(urls.owner)}`
          : `alter database ${former} rename to ${copy}`,
      );
      const moved = renamed(urls, former, copy);
      await migrateDatabase(moved);
      await expectReady(moved);
      const old = new URL(urls.command);
      old.pathname = `/${copy}`;
      await expect(sql`select from write.events`.execute(open(old.href))).rejects.toThrow(
        "permission denied",
      );
      if (how === "template") await expectReady(urls);
      // The roles of a renamed database stay behind, as somebody may use their passwords elsewhere.
      else await create(former);
    });
  });

  testSurroundings(databases, names, expectReady);
}

/** Returns the URLs for a database with another name and the same owner. */
function renamed(urls: DatabaseUrls, former: string, name: string): DatabaseUrls {
  const move = (url: string) => {
    const { username } = new URL(url);
    const own = url === urls.owner ? username : username.replace(former, name);
    return Object.assign(new URL(url), { username: own, pathname: `/${name}` }).href;
  };
  const { owner, command, query, relay, direct } = urls;
  return {
    owner: move(owner),
    command: move(command),
    query: move(query),
    relay: move(relay),
    direct: move(direct),
  };
}

/** Tests databases that others use as well, and names that need care. */
function testSurroundings(
  { asAdmin, create, name, open }: Databases,
  names: string[],
  expectReady: (urls: DatabaseUrls) => Promise<void>,
): void {
  describe("a database that others use", () => {
    it("is left to them: their logins may connect, and their functions and tables stay as they are", async () => {
      const urls = await create();
      await asAdmin(
        `
        create schema extensions; create extension pg_trgm schema extensions;
        create table public.kysely_migration (name varchar primary key, timestamp varchar);
        insert into public.kysely_migration values ('2024_theirs', 'now');
        create function public.theirs() returns text language sql as 'select 1';
        grant usage on schema extensions to public;
        alter schema public owner to current_user;
        create schema ${userIn(urls.owner)} authorization ${userIn(urls.owner)};
        alter database ${nameIn(urls.owner)} set search_path = ''`,
        urls.owner,
      );
      const acl =
        "select datacl::text as database, (select proacl::text from pg_proc where proname = 'theirs') as function, " +
        "(select nspacl::text from pg_namespace where nspname = 'public') as public from pg_database where datname = current_database()";
      const others = name("other");
      await asAdmin(`create role ${others}_query login password 'theirs'`);
      const before = (await asAdmin(acl, urls.owner))[0]!;

      await migrateDatabase(urls);
      await expectReady(urls);
      const after = (await asAdmin(acl, urls.owner))[0]!;
      expect([after.function, after.public]).toEqual([before.function, before.public]);
      const login = Object.assign(new URL(urls.query), { username: `${others}_query`, password: "theirs" });
      expect((await sql`select public.theirs() as one`.execute(open(login.href))).rows).toEqual([{
        one: "1",
      }]);
      expect(await asAdmin("select name from public.kysely_migration", urls.owner)).toMatchObject([{
        name: "2024_theirs",
      }]);
      const inOwners = await asAdmin(
        `select from pg_class where relnamespace = '${userIn(urls.owner)}'::regnamespace`,
        urls.owner,
      );
      expect(inOwners).toHaveLength(0);
    });

    it("is refused when its schemas belong to another role, and so a grant does nothing", async () => {
      const urls = await create();
      await migrateDatabase(urls);
      await asAdmin(
        "alter schema read owner to current_user; grant usage, create on schema read to public",
        urls.owner,
      );
      await expect(migrateDatabase(urls)).rejects.toThrow(
        /^Cannot migrate the roles: no privileges (were granted|could be revoked) for "read"; migrate as the owner/,
      );
    });
  });

  describe("the name of a database", () => {
    it.each(names)("may be %s", async (given) => {
      const urls = await create(given);
      await migrateDatabase(urls);
      await expectReady(urls);
    });

    it("may not be too long, or like a role of PostgreSQL's own", async () => {
      const urls = await create();
      let former = nameIn(urls.owner);
      for (const [given, reason] of REFUSED_NAMES) {
        await expect(create(given)).rejects.toThrow(reason);
        await asAdmin(`alter database "${former}" rename to "${given}"`);
        former = given;
        const owner = Object.assign(new URL(urls.owner), { pathname: `/${encodeURIComponent(given)}` }).href;
        await expect(migrateDatabase({ ...urls, owner })).rejects.toThrow(reason);
      }
    });
  });
}
