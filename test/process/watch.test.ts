import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, usePrograms } from "../support/program.ts";

describe("dev", () => {
  const database = useTestDatabase();
  const run = usePrograms();
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "cqrs-copy-"));
    for (const name of ["src", "migrations", "package.json", "deno.json", "tsconfig.json"]) {
      await cp(name, join(root, name), { recursive: true });
    }
    await symlink(resolve("node_modules"), join(root, "node_modules"));
  });
  afterAll(() => rm(root, { recursive: true, force: true }));

  it("starts again when a file changes, and outlives a syntax error", async () => {
    const program = run("dev", { root, settings: settingsOf(database.urls) });
    const file = join(root, "src/http/operations.ts");
    const text = await readFile(file, "utf8");
    await program.printed(/Stop /);

    await writeFile(file, text.replace(`status: "ok"`, `status: "splendid"`));
    await program.printed(/A file has changed: starting again\n(?:.*\n)*.*Stop /);
    expect(await health(program.output)).toEqual({ status: "splendid" });

    await writeFile(file, `${text}}`);
    await program.printed(/Waiting for a change/);

    await writeFile(file, text);
    await program.printed(/Waiting for a change\n(?:.*\n)*.*Stop /);
    expect(await health(program.output)).toEqual({ status: "ok" });

    program.signal("SIGINT");
    expect(await program.ended).toBe(0);
  });
});

async function health(output: string): Promise<unknown> {
  const url = output.match(/API +(http\S+)\/docs(?![^]*API)/)![1];
  return await (await fetch(`${url}/health`)).json();
}
