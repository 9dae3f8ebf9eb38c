import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

describe("relay", () => {
  const database = useTestDatabase({ jars: true });
  const runProgram = usePrograms();
  const run = (mode: string, settings: Record<string, string> = {}) =>
    runProgram(mode, { entry: "test/jars/main.ts", settings: { ...settingsOf(database.urls), ...settings } });

  it("moves the read models of a start that has none", async () => {
    const start = run("start", { RELAY: "off" });
    const jars = `${await start.printed(/Listening on (\S+)/)}/jars`;
    const opened = await fetch(jars, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ label: "Honey" }),
    });
    expect(opened.status).toBe(201);
    const { id, token } = await opened.json();
    const look = (seconds: number) =>
      fetch(`${jars}/${id}`, { headers: { "Consistency-Token": token, "Prefer": `wait=${seconds}` } });
    expect((await look(1)).status).toBe(503);

    const relay = run("relay");
    await relay.printed(/Relaying/);
    await until("the jar is to be seen", async () => (await look(10)).ok);

    relay.signal("SIGTERM");
    expect(await relay.ended).toBe(0);
    expect(relay.output).toBe("Relaying\n");
  });

  it.each([["views", "jar_details", "topping_up"], ["handlers", "topping_up", "jar_details"]])(
    "does only its share with RELAY=%s",
    async (share, done, left) => {
      const start = run("start", { RELAY: share, OPS_TOKEN: "the-operator-of-the-tests" });
      const url = await start.printed(/Listening on (\S+)/);
      const body = JSON.stringify({ label: "Honey" });
      await fetch(`${url}/jars`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
      const lagOf = async (name: string) => {
        const answer = await fetch(`${url}/ops/relay`, {
          headers: { Authorization: "Bearer the-operator-of-the-tests" },
        });
        const { subscriptions } = await answer.json() as { subscriptions: { name: string; lag: number }[] };
        return subscriptions.find((one) => one.name === name)!.lag;
      };
      await until(`${done} is done`, async () => await lagOf(done) === 0);
      expect(await lagOf(left)).toBeGreaterThan(0);
      await run("relay").printed(/Relaying/);
      await until(`${left} is done, too`, async () => await lagOf(left) === 0);
    },
  );

  it.each(["relay", "start"])("ends %s when a checkpoint is beyond the log", async (mode) => {
    const { rows } = await sql<{ last: number }>`
      with moved as (update relay.checkpoints set position = 1000 where subscription = 'jar_details')
      select coalesce(max(position), 0) as last from relay.log`.execute(database.owner);

    const program = run(mode);
    expect(await program.ended).toBe(1);
    expect(program.output.trim().split("\n").at(-1)).toBe(
      "Cannot relay: the checkpoint of jar_details is at position 1000, but the log ends at " +
        `${rows[0]!.last}; was an older copy of the database restored? If so, run "npm run rewind"`,
    );
  });
});
