import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ProcessRooms } from "../../src/process/room.ts";
import * as rooms from "../../src/process/rooms.ts";
import { findDebianPrograms, useDebianServer } from "../support/debian-server.ts";
import { ROOT } from "../support/imports.ts";
import { describeOnServer } from "../support/postgres.ts";
import { FAULT_MS } from "./support/length.ts";
import { useOwnServer } from "./support/own-server.ts";

const optional: ProcessRooms = rooms;
const { doctor } = optional;
const PAGE = join(ROOT, "docs/deploy/database.md");
const programs = await findDebianPrograms();
if (!programs) {
  console.log("skipped: the commands of docs/deploy/database.md, there is no pg_dump in /usr/lib/postgresql");
}

describeOnServer("the page about the database", () => {
  describe.skipIf(!programs)("with PostgreSQL 15 as the old server and 18 as the new one", () => {
    const old = useDebianServer(programs!);
    const next = useOwnServer();
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "cqrs-page-"));
      for (const name of ["migrations", "src", "package.json", "node_modules"]) {
        await symlink(join(ROOT, name), join(folder, name));
      }
    });
    afterAll(() => rm(folder, { recursive: true }));

    it("has commands that work, from top to bottom", async () => {
      const page = await readFile(PAGE, "utf8");
      const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block!);
      expect(blocks.length).toBeGreaterThan(7);
      const base = (url: string) => url.replace(/\/postgres$/, "");
      const script = doctor ? blocks.join("\n") : blocks.join("\n").replaceAll("npm run doctor", "");
      const output = await runBash(withTypedPasswords(script), folder, {
        ADMIN: base(old.url),
        DB: new URL(old.url).host,
        NEW_ADMIN: base(next.url),
        NEW_DB: new URL(next.url).host,
        PASSWORD: "sesame",
        PATH: `${programs}${delimiter}${process.env.PATH}`,
      });
      const examined = script.match(/^npm run doctor$/gm)?.length ?? 0;
      expect(examined).toBe(doctor ? 7 : 0);
      expect(output.match(/^0 problems, 0 warnings$/gm) ?? []).toHaveLength(examined);
    }, FAULT_MS);
  });
});

/** Types the password that `\password` asks for: without a terminal, psql reads its input. */
function withTypedPasswords(script: string): string {
  return script.replaceAll(
    /^psql .*\\password.*$/gm,
    String.raw`printf '%s\n%s\n' "$PASSWORD" "$PASSWORD" | $&`,
  );
}

/** Runs a script without a terminal, and returns its output. @throws {Error} If a command fails. */
function runBash(script: string, cwd: string, environment: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-euo", "pipefail", "-c", script], {
      cwd,
      detached: true,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => output += text);
    }
    child.on("error", reject).on(
      "close",
      (code) =>
        code === 0
          ? resolve(output)
          : reject(new Error(`Cannot go on: ended with ${code}, having printed: ${output.slice(-2_000)}`)),
    );
  });
}
