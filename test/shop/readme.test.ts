import { app } from "../../src/app.ts";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { start } from "../../src/process/start.ts";
import { openSampleShop } from "../../src/sample-shop.ts";
import { useTestDatabase } from "../support/database.ts";
import { listImports, ROOT } from "../support/imports.ts";

const test = useTestDatabase();

describe("the README's curl session", () => {
  it("answers what it says", async () => {
    await openSampleShop(test.command);
    const { url, stop } = await start(app, readSettings({ PORT: "0" }), test.urls, "127.0.0.1", {
      api: true,
      relay: true,
    });
    const folder = await mkdtemp(join(tmpdir(), "cqrs-readme-"));
    try {
      const session = await readSession();
      const script = session.replace("http://127.0.0.1:8000", url!);
      const { stdout } = await promisify(execFile)("bash", ["-euc", script], { cwd: folder });
      expect(withoutChance(stdout)).toBe(promisesOf(session).map((answer) => `${answer}\n`).join(""));
    } finally {
      await stop();
      await rm(folder, { recursive: true });
    }
  });
});

describe("every link between the documents", () => {
  it("leads somewhere", async () => {
    const docs = (await readdir(join(ROOT, "docs"), { recursive: true })).filter((file) =>
      file.endsWith(".md")
    );
    const broken = await Promise.all(
      ["README.md", ...docs.map((file) => join("docs", file))].map(async (file) => {
        const text = await readFile(join(ROOT, file), "utf8");
        const targets = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target]) =>
          resolve(ROOT, dirname(file), target!)
        );
        const missing = await Promise.all(
          targets.map((target) =>
            readFile(target).then(() => [], (error) => error.code === "EISDIR" ? [] : [target])
          ),
        );
        return missing.flat().map((target) => `${file}: ${target}`);
      }),
    );
    expect(broken.flat()).toEqual([]);
  });
});

describe("the files that the README leads through", () => {
  it("exist, are twenty-two at most, and each is imported by one before it", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const tour = [...readme.matchAll(/^\d+\. \[([^\]]+)\]\(([^)]+)\)/gm)].map(([, name, target]) => {
      expect(name).toBe(target);
      return target!;
    });
    expect(tour.length).toBeGreaterThan(5);
    expect(tour.length).toBeLessThanOrEqual(22);
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

async function readSession(): Promise<string> {
  const readme = await readFile(join(ROOT, "README.md"), "utf8");
  return /```sh\n(.*?)```/s.exec(readme)![1]!;
}

/** Returns the answers shown in the session: comments beginning with a brace. */
function promisesOf(session: string): string[] {
  return [...session.matchAll(/^# (\{.*)$/gm)].map(([, answer]) => answer!);
}

/** Hides ids, tokens and times, and an order confirmed before the first look: all differ from run to run. */
function withoutChance(output: string): string {
  return output.replace(/"status":"confirmed"(?<rest>.*"version":)2/, '"status":"placed"$<rest>1').replace(
    /[0-9a-f]{8}-[0-9a-f-]{27}/g,
    "…",
  ).replace(/"token":"[^"]+"/g, '"token":"…"')
    .replace(/"\d{4}-\d\d-\d\dT[^"]+Z"/g, '"…"').replace(/"urn:request:[^"]+"/g, '"…"');
}
