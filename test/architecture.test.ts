import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MIGRATIONS } from "../src/migrated.ts";
import { readMigrations } from "../src/process/migrations.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Lists the parts each part may import, besides itself. A file directly in src/ is a part, too. */
const MAY_IMPORT: Record<string, string[]> = {
  "errors": [],
  "logging": [],
  "sleep": [],
  "shapes": [],
  "config": ["database", "logging", "publish"],
  "database": ["errors", "sleep"],
  "migrate": ["database"],
  "migrated": ["database", "errors"],
  "write": ["database", "errors", "sleep"],
  "relay": ["write", "database", "errors", "logging", "sleep"],
  "read": ["relay", "write", "database", "errors", "sleep"],
  "publish": ["relay", "write", "database"],
  "http": ["read", "relay", "write", "database", "errors", "logging", "migrated", "shapes"],
  "features": ["http", "read", "relay", "write", "database", "errors", "shapes"],
  "sample-shop": ["features", "write", "database"],
  "app": ["features", "http", "publish", "read", "relay", "database"],
  "compose": ["app", "config", "database", "http", "migrated", "publish", "read", "relay"],
  "edge": ["compose", "config", "http", "logging", "publish", "relay", "sleep"],
  "worker": ["edge", "http"],
  "deno": ["edge", "process"],
  "vercel": ["edge", "process"],
  "supabase": ["edge"],
  "client": ["compose"],
  "process": [
    "app",
    "compose",
    "config",
    "database",
    "errors",
    "http",
    "logging",
    "migrate",
    "migrated",
    "publish",
    "read",
    "relay",
    "sample-shop",
    "sleep",
  ],
  "main": ["process"],
};

interface Import {
  from: string;
  to: string;
}

describe("src", () => {
  it("imports in one direction", async () => {
    const against = (await listImports()).filter(({ from, to }) =>
      partOf(from) !== partOf(to) && !MAY_IMPORT[partOf(from)]?.includes(partOf(to))
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

  it("touches the operating system in src/process and the entry only", async () => {
    const files = (await listFiles("src")).filter((file) =>
      !["process", "main", "deno", "vercel", "supabase"].includes(partOf(file))
    );
    const touching = await filesWith(files, /from "node:|\bprocess\.|\bDeno\.|\bBun\./);
    expect(touching).toEqual([]);
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

describe("the files that the README leads through", () => {
  it("exist, are sixteen at most, and each is imported by one before it", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const tour = [...readme.matchAll(/^\d+\. \[([^\]]+)\]\(([^)]+)\)/gm)].map(([, name, target]) => {
      expect(name).toBe(target);
      return target!;
    });
    expect(tour.length).toBeGreaterThan(5);
    expect(tour.length).toBeLessThanOrEqual(16);
    expect(new Set(tour).size).toBe(tour.length);
    const migrations = (await readdir(join(ROOT, "migrations"))).map((file) => `migrations/${file}`);
    const [first, ...code] = tour.filter((file) => !migrations.includes(file));
    const imports = (await listImports()).map(({ from, to }) => ({ from: `src/${from}`, to: `src/${to}` }));
    const outOfOrder = code.filter((file, place) => {
      const earlier = [first, ...code.slice(0, place)];
      return !imports.some(({ from, to }) => to === file && earlier.includes(from));
    });
    expect(outOfOrder).toEqual([]);
  });
});

/** Returns the part of a file in src/: the first folder, or the file name without `.ts`. */
function partOf(file: string): string {
  return file.split("/")[0]!.replace(/\.ts$/, "");
}

async function listFiles(folder: string): Promise<string[]> {
  const files = await readdir(join(ROOT, folder), { recursive: true });
  return files.filter((file) => file.endsWith(".ts")).map((file) => file.replaceAll("\\", "/"));
}

async function listImports(): Promise<Import[]> {
  const imports = await Promise.all((await listFiles("src")).map(async (from) => {
    const text = await readFile(join(ROOT, "src", from), "utf8");
    return [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, target]) => ({
      from,
      to: relative(join(ROOT, "src"), join(ROOT, "src", dirname(from), target!)).replaceAll("\\", "/"),
    }));
  }));
  return imports.flat();
}

async function filesWith(files: string[], pattern: RegExp): Promise<string[]> {
  const found = await Promise.all(
    files.map(async (file) =>
      pattern.test(await readFile(join(ROOT, "src", file), "utf8")) ? file : undefined
    ),
  );
  return found.filter((file) => file !== undefined);
}
