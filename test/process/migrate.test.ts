import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { MIGRATIONS } from "../../src/migrated.ts";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

const NEWEST = MIGRATIONS.at(-1)!;

describe("migrate", () => {
  const database = useTestDatabase();
  const run = usePrograms();
  const settings = () => ({ ...settingsOf(database.urls), OPS_TOKEN: "the-operator-of-the-tests" });

  beforeAll(async () => {
    await sql.raw(`
      drop schema write, relay, read, migrations cascade;
    `).execute(database.owner);
  });

  it("brings a start that waits for it to work, and has nothing left to do the second time", async () => {
    const start = run("start", { settings: settings() });
    const url = await start.printed(/Listening on (\S+)/);
    expect(start.output).toMatch(new RegExp(`Waiting for \\d+ migrations, .* ${NEWEST}`));
    const early = await fetch(`${url}/ready`);
    expect(early.status).toBe(503);
    expect(await early.json()).toMatchObject({ detail: expect.stringContaining(NEWEST) });

    const first = run("migrate", { settings: settings() });
    expect(await first.ended).toBe(0);
    expect(first.output).toMatch(new RegExp(`^(Applied \\d{4}_\\w+\n)+$`));
    expect(first.output).toContain(`Applied ${NEWEST}\n`);

    expect((await fetch(`${url}/ready`)).status).toBe(200);
    await until("the relay runs", async () => {
      const headers = { Authorization: "Bearer the-operator-of-the-tests" };
      const { relays } = await (await fetch(`${url}/ops/relay`, { headers })).json();
      return relays.some(({ listening }: { listening: boolean }) => listening);
    });
    expect(start.output).not.toContain("Cannot relay");

    const second = run("migrate", { settings: settings() });
    expect(await second.ended).toBe(0);
    expect(second.output).toBe("Nothing to apply\n");
  });
});
