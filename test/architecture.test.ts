import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../src/migrated.ts";
import { readMigrations } from "../src/process/migrations.ts";
import { listFiles, listImports, partOf, ROOT } from "./support/imports.ts";
import { listPlatforms, listRooms } from "./support/rooms.ts";

/** Lists the parts each part may import, besides itself. A file directly in src/ is a part, too. */
const MAY_IMPORT: Record<string, string[]> = {
  "errors": [],
  "logging": [],
  "sleep": [],
  "shapes": [],
  "config": ["database", "logging"],
  "surroundings": ["database"],
  "database": ["errors", "sleep"],
  "migrate": ["database", "errors", "sleep"],
  "migrated": ["database", "errors"],
  "write": ["database", "errors", "sleep"],
  "relay": ["write", "database", "errors", "logging", "sleep"],
  "read": ["relay", "write", "database", "errors", "sleep"],
  "http": ["read", "relay", "write", "database", "errors", "logging", "migrated", "shapes"],
  "features": ["http", "read", "relay", "write", "database", "errors", "shapes", "sleep"],
  "sample-shop": ["features", "write", "database"],
  "app": ["compose", "config", "features", "http", "relay", "database"],
  "room": ["config", "database", "read", "relay", "surroundings"],
  "compose": ["config", "database", "http", "read", "relay", "room", "rooms", "surroundings", "write"],
  "edge": ["compose", "config", "http", "logging", "relay", "sleep", "surroundings"],
  "client": ["app", "http"],
  "process": [
    "compose",
    "config",
    "database",
    "errors",
    "http",
    "logging",
    "migrate",
    "migrated",
    "read",
    "relay",
    "sleep",
    "surroundings",
  ],
  "main": ["app", "process", "sample-shop"],
};

const PLATFORM = ["app", "compose", "edge", "http", "process"];
const ROOM = [...MAY_IMPORT.http!, "config", "http", "room", "surroundings"];

/** Adds the optional parts: a room may import the machinery and is imported by a list only. */
async function listAllowed(): Promise<Record<string, string[]>> {
  const [rooms, ofProcess, platforms] = await Promise.all([
    listRooms("rooms.ts"),
    listRooms("process/rooms.ts"),
    listPlatforms(),
  ]);
  return {
    ...MAY_IMPORT,
    "rooms": rooms,
    "process": [...MAY_IMPORT.process!, ...ofProcess],
    ...Object.fromEntries(rooms.map((room) => [room, ROOM])),
    ...Object.fromEntries(ofProcess.map((room) => [room, [...ROOM, "migrate", "process"]])),
    ...Object.fromEntries(platforms.map((platform) => [platform, PLATFORM])),
  };
}

describe("src", () => {
  it("imports in one direction", async () => {
    const allowed = await listAllowed();
    const against = (await listImports()).filter(({ from, to }) =>
      partOf(from) !== partOf(to) && !allowed[partOf(from)]?.includes(partOf(to))
    );
    expect(against).toEqual([]);
  });

  it("keeps commands and queries of a feature apart, and features to each other's events; process managers send", async () => {
    const against = (await listImports()).filter(({ from, to }) => {
      const [feature, side] = from.split("/").slice(1);
      const [otherFeature, otherSide] = to.split("/").slice(1);
      if (partOf(from) !== "features" || partOf(to) !== "features") return false;
      if (feature !== otherFeature) {
        const sends = side === "process-manager.ts" && otherSide === "commands";
        return otherSide !== "events.ts" && !sends;
      }
      return [side, otherSide].toSorted().join() === "commands,queries";
    });
    expect(against).toEqual([]);
  });

  it("touches the operating system in src/process, src/embedded-postgres and the entries only", async () => {
    const files = (await listFiles("src")).filter((file) =>
      !["process", "embedded-postgres", "main", "deno", "vercel", "supabase"].includes(partOf(file))
    );
    const touching = await filesWith("src", files, /from "node:|\bprocess\.|\bDeno\.|\bBun\./);
    expect(touching).toEqual([]);
  });

  it("names every column that an answer is made of: a new column is no part of the answers of old code", async () => {
    const everything = /\b(selectAll|returningAll)\(|\b(select|returning) (\w+\.)?\*/i;
    // The relay's calls of functions, whose columns are those of the function.
    const files = (await listFiles("src")).filter((file) => partOf(file) !== "relay");
    expect(await filesWith("src", files, everything)).toEqual([]);
    expect(await filesWith("test/jars", await listFiles("test/jars"), everything)).toEqual([]);
  });

  it("imports nothing in a circle", async () => {
    const imports = await listImports();
    const importing = new Map(imports.map(({ from }) => [from, imports.filter((one) => one.from === from)]));
    const reaches = (from: string, goal: string, seen = new Set<string>()): boolean =>
      (importing.get(from) ?? []).some(({ to }) => {
        if (to === goal) return true;
        if (seen.has(to)) return false;
        seen.add(to);
        return reaches(to, goal, seen);
      });
    expect([...importing.keys()].filter((file) => reaches(file, file))).toEqual([]);
  });

  it("knows every migration", async () => {
    expect(MIGRATIONS).toEqual(Object.keys((await readMigrations()).numbered));
  });
});

describe("the tests of the machinery", () => {
  it("know nothing of the shop, which may be deleted; test/app knows what is in its place", async () => {
    const files = (await listFiles("test")).filter((file) =>
      !/^(shop|app)\//.test(file) && !file.includes("node_modules")
    );
    const knowing = await filesWith(
      "test",
      files,
      /from "[./]+(src\/(features|app\.ts|sample-shop)|.*shop\/)/,
    );
    expect(knowing).toEqual([]);
  });
});

async function filesWith(folder: string, files: string[], pattern: RegExp): Promise<string[]> {
  const found = await Promise.all(
    files.map(async (file) =>
      pattern.test(await readFile(join(ROOT, folder, file), "utf8")) ? file : undefined
    ),
  );
  return found.filter((file) => file !== undefined);
}
