import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import postgres from "postgres";
import { beforeAll, expect } from "vitest";
import { type Authority, createAuthority } from "./certificates.ts";
import { type DebianServer, findDebianPrograms, useDebianServer } from "./debian-server.ts";
import { askProgram, askPsql, isInstalled, type Outcome } from "./psql.ts";

/** Who has to show a password or a certificate. All others are let in. */
const RULES = `
host all sharp,question,percent all scram-sha-256
hostssl all certified all cert
host all certified all reject
`;
const SETUP = [
  "create role sharp login password 'Qzx#Wvk'",
  "create role question login password 'Qzx?[:]Wvk'",
  "create role percent login password 'Qzx%Wvk'",
  "create role certified login",
  'create role "me@shop" login',
  'create database "my shop"',
  'create database "50%25"',
  'create database "caf\u00e9"',
];
const SECRET = /Qzx|Wvk/;

/** Returns the folder of psql and of a server to compare on; undefined without, or without `openssl`. */
export async function findComparable(): Promise<string | undefined> {
  const programs = await findDebianPrograms();
  if (programs && await isInstalled(join(programs, "psql")) && await isInstalled("openssl")) return programs;
  console.log("skipped: URLs next to psql, for want of psql, openssl or Debian's PostgreSQL");
  return undefined;
}

export interface PsqlServer {
  readonly server: DebianServer;
  readonly authority: Authority;
  /** Runs statements as the superuser. */
  admin(...statements: string[]): Promise<void>;
  /** Expects both to connect to the same places. */
  expectAsPsql(templates: string[]): Promise<void>;
  /** Expects the program to leave parameters out, and psql to refuse. */
  expectLeftOut(templates: string[]): Promise<void>;
  /** Expects lines of the program that name the setting, say why, and have no part of a secret. */
  expectRefusals(refusals: [string, string][]): Promise<void>;
  /** Expects psql to refuse, too. */
  expectPsqlRefuses(templates: string[]): Promise<void>;
}

/** Starts a server with the roles and databases of `psql-urls.ts`, for the tests of a file. */
export function usePsqlServer(programs: string): PsqlServer {
  const server = useDebianServer(programs);
  let authority: Authority;
  const admin = async (...statements: string[]) => {
    const db = postgres(server.url, { max: 1, onnotice: () => {} });
    for (const statement of statements) await db.unsafe(statement);
    await db.end();
  };
  beforeAll(async () => {
    authority = await createAuthority(server.folder, server.owner);
    const rules = join(server.folder, "data/pg_hba.conf");
    await writeFile(rules, RULES + await readFile(rules, "utf8"));
    await admin(...SETUP, "select pg_reload_conf()");
  });

  const toUrl = (template: string) => {
    const { port } = new URL(server.url);
    return template.replaceAll("PORT", port).replaceAll("SOCKET", encodeURIComponent(server.folder))
      .replaceAll("FOLDER", server.folder);
  };
  const psql = (templates: string[]) => askPsql(programs, server.url, templates.map(toUrl));
  const program = (templates: string[]) =>
    Promise.all(templates.map((template) => askProgram(toUrl(template))));

  return {
    server,
    get authority() {
      return authority;
    },
    admin,
    async expectAsPsql(templates) {
      const answers = await psql(templates);
      expect(toTable(templates, answers)).toEqual(templates.map((url) => [url, answer]));
      expect(toTable(templates, await program(templates))).toEqual(toTable(templates, answers));
    },
    async expectLeftOut(templates) {
      const line = expect.stringContaining("invalid URI query parameter");
      expect(await psql(templates)).toEqual(templates.map(() => ({ line })));
      expect(toTable(templates, await program(templates))).toEqual(templates.map((url) => [url, answer]));
    },
    async expectRefusals(refusals) {
      const templates = refusals.map(([template]) => template);
      const lines = (await program(templates)).map(toLine);
      expect(toTable(templates, lines)).toEqual(
        refusals.map(([url, why]) => [url, expect.stringContaining(why)]),
      );
      for (const line of lines) {
        expect(line).toMatch(/^Cannot (start:|reach the database of) DATABASE_URL [^\n]+$/);
        expect(line).not.toMatch(SECRET);
      }
    },
    async expectPsqlRefuses(templates) {
      const answers = await psql(templates);
      expect(toTable(templates, answers)).toEqual(
        templates.map((url) => [url, { line: expect.any(String) }]),
      );
    },
  };
}

const answer = { answer: expect.any(String) };

function toTable<T>(templates: string[], outcomes: T[]): [string, T | undefined][] {
  return templates.map((template, place) => [template, outcomes[place]]);
}

function toLine(outcome: Outcome): string {
  return "line" in outcome ? outcome.line : "no refusal";
}
