import { cp, mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, usePrograms } from "../support/program.ts";

describe("what the Dockerfile copies and keeps", () => {
  const database = useTestDatabase();
  const run = usePrograms();
  let folder: string;
  let root: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "cqrs-image-"));
    root = join(folder, "app");
    await layOut(root);
    // Loads TypeScript on Node 20, from outside the tested folder.
    await mkdir(join(folder, "node_modules"));
    await symlink(resolve("node_modules/tsx"), join(folder, "node_modules/tsx"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("is what .dockerignore lets through", async () => {
    const passed = (await readFile(".dockerignore", "utf8")).matchAll(/^!(\S+)$/gm);
    const { copied } = await readDockerfile();
    expect([...passed].map(([, path]) => path).sort()).toEqual([...copied, "package-lock.json"].sort());
  });

  it("migrates", async () => {
    const program = run("migrate", { root, settings: settingsOf(database.urls) });
    expect(await program.ended).toBe(0);
    expect(program.output).toBe("Nothing to apply\n");
  });

  it("serves, with its page to try it on", async () => {
    const program = run("start", { root, settings: settingsOf(database.urls) });
    const url = await program.printed(/Listening on (\S+)/);
    for (const path of ["/ready", "/docs", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js"]) {
      const { status } = await fetch(url + path, { headers: { Connection: "close" } });
      expect({ path, status }).toEqual({ path, status: 200 });
    }
    program.signal("SIGTERM");
    expect(await program.ended).toBe(0);
  });
});

/** Does the Dockerfile's work with the packages installed here: no container engine is needed. */
async function layOut(root: string): Promise<void> {
  const { copied, deletion } = await readDockerfile();
  for (const path of [...copied, ...await packages()]) {
    await cp(path, join(root, path), { recursive: true });
  }
  execFileSync("sh", ["-c", deletion], { cwd: join(root, "node_modules") });
}

async function readDockerfile(): Promise<{ copied: string[]; deletion: string }> {
  const text = (await readFile("Dockerfile", "utf8")).replaceAll("\\\n", "");
  return {
    copied: [...text.matchAll(/^COPY (\S+) \S+$/gm)].map(([, path]) => path!),
    deletion: /&& (rm -rf .*)/.exec(text)![1]!,
  };
}

/** Returns the folders of the packages installed by `npm ci --omit=dev --omit=optional`. */
async function packages(): Promise<string[]> {
  const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== "" && !dev && !optional && !devOptional)
    .map(([path]) => path);
}
