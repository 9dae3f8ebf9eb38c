import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, useDataFolder, usePrograms } from "../support/program.ts";
import { exchange } from "../support/raw.ts";

const database = useTestDatabase({ jars: true });
const folder = useDataFolder();
const run = usePrograms();

it("Development has a token of its own for the operator, answers its own names only, and cannot be made to forge lines", async () => {
  const settings = {
    ...settingsOf(database.urls),
    LOG_LEVEL: "info",
    DATA_DIR: folder.path,
    ALLOWED_HOSTS: "my.test",
  };
  const program = run("dev", { entry: "test/jars/main.ts", settings });
  const bearer = await program.printed(/Operator +(Bearer [0-9a-f]{32})\n/);
  const url = await program.printed(/API +(http\S+)\/docs/);
  const ask = async (host: string, token: string) =>
    (await exchange(url, ["GET /ops/relay HTTP/1.1", `Host: ${host}`, `Authorization: ${token}`])).split(
      " ",
    )[1];

  for (
    const host of ["localhost:8000", "127.0.0.1", "[::1]:8000", "jars.localhost", "my.test", "MY.TEST:80"]
  ) {
    expect({ host, status: await ask(host, bearer) }).toEqual({ host, status: "200" });
  }
  for (
    const host of [
      "attacker.example",
      "attacker.example:8000",
      "localhost.attacker.example",
      "127.0.0.1.nip.io",
      "",
    ]
  ) {
    expect({ host, status: await ask(host, bearer) }).toEqual({ host, status: "403" });
  }
  expect(await ask("localhost", "Bearer dev")).toBe("401");

  const file = join(folder.path, "operator-token");
  expect(`Bearer ${await readFile(file, "utf8")}`).toBe(bearer);
  expect((await stat(file)).mode & 0o777).toBe(0o600);

  await fetch(`${url}/x%0a00:00:00.000%20[ERROR]%20cqrs.relay:%20forged%1b[31m%00`);
  const line = await program.printed(/.*forged.*/);
  expect(line).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} \[INFO\] cqrs\.http: GET \/x\\u000a00:00.*forged\\u001b\[31m\\u0000 404/,
  );
  program.signal("SIGTERM");
  expect(await program.ended).toBe(0);
});
