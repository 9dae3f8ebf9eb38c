import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { settingsOf, usePrograms } from "../support/program.ts";
import { until } from "../support/until.ts";

describe("start", () => {
  const database = useTestDatabase({ jars: true });
  const run = usePrograms();

  it("lets accepted requests finish when it is to stop", async () => {
    const program = run("start", { entry: "test/jars/main.ts", settings: settingsOf(database.urls) });
    const url = await program.printed(/Listening on (\S+)/);
    const lock = await hold(database.owner, (trx) => sql`lock table write.events`.execute(trx));
    const accepted = ["Honey", "Jam", "Salt"].map((label) => openJar(url, label));
    await untilBlocked(database.owner, accepted.length);

    program.signal("SIGTERM");
    await until("it takes no more", () => fetch(`${url}/health`).then(() => false, () => true));
    await lock.commit();

    const answers = await Promise.all(accepted);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(answers.map(({ headers }) => headers.get("connection"))).toEqual(["close", "close", "close"]);
    expect(await program.ended).toBe(0);
    expect(program.output).toBe(`Listening on ${url}\n`);
  });
});

function openJar(url: string, label: string): Promise<Response> {
  return fetch(`${url}/jars`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ label }),
  });
}
