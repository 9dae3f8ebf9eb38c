import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { afterEach, describe, expect, inject, it } from "vitest";
import { migrateDatabase } from "../../src/process/migrations.ts";
import { provision } from "../../src/process/provision.ts";
import { createAnew, dropDatabase } from "../support/database.ts";

const FOLDER = new URL("../../migrations/", import.meta.url);

describe("the migrations", () => {
  it("are ASCII, which every encoding has", async () => {
    const files = await readdir(FOLDER);
    const texts = await Promise.all(files.map((file) => readFile(new URL(file, FOLDER), "latin1")));
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((_, place) => !/^[\t\n\x20-\x7e]*$/.test(texts[place]!))).toEqual([]);
  });
});

describe("migrate", () => {
  const name = `t_${randomBytes(6).toString("hex")}`;
  afterEach(() => dropDatabase(inject("adminUrl"), name));

  it.each(["LATIN1", "SQL_ASCII", "EUC_JP"])("refuses a database with the encoding %s", async (encoding) => {
    const urls = await provision(inject("adminUrl"), name);
    await createAnew(inject("adminUrl"), name, `encoding '${encoding}' locale_provider libc locale 'C'`);
    await expect(migrateDatabase(urls)).rejects.toThrow(
      `Cannot migrate: the encoding of the database ${name} is ${encoding}, and not every text fits; make another by ` +
        `create database … template template0 encoding 'UTF8' locale 'C.UTF-8'`,
    );
  });
});
