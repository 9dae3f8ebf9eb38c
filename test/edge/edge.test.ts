import { sql } from "kysely";
import { beforeEach, describe, expect, it } from "vitest";
import { InvalidSettings } from "../../src/config.ts";
import { createEdge, type Edge } from "../../src/edge/edge.ts";
import { app } from "../jars/app.ts";
import { useTestDatabase } from "../support/database.ts";
import { settingsOf } from "../support/program.ts";

const test = useTestDatabase({ jars: true });

/** Wakes the read models that rest after the test before. */
beforeEach(async () => {
  await test.owner.updateTable("relay.checkpoints").set({ rests_until: sql<Date>`'-infinity'` }).execute();
});

/** Sends a command, waits for the deferred work, and returns the id of the jar. */
async function openJar(edge: Edge): Promise<string> {
  const deferred: Promise<unknown>[] = [];
  const request = new Request("http://localhost/jars", {
    method: "POST",
    body: `{"label":"Honey"}`,
    headers: { "content-type": "application/json" },
  });
  const answer = await edge.fetch(request, (work) => deferred.push(work));
  expect(answer.status).toBe(201);
  await Promise.all(deferred);
  return (await answer.json()).id;
}

const edgeWith = (settings: Record<string, string> = {}) =>
  createEdge({ app, variables: { ...settingsOf(test.urls), ...settings }, keepsConnections: false });

async function isShown(id: string): Promise<boolean> {
  const rows = await test.query.selectFrom("read.jar_details").select("label").where("jar_id", "=", id)
    .execute();
  return rows.length > 0;
}

describe("On a platform that calls for each request", () => {
  it("what a command led to is shown when its deferred work has ended, and no connection is left", async () => {
    expect(await isShown(await openJar(edgeWith()))).toBe(true);
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and application_name like 'cqrs %'
        and application_name <> 'cqrs'`.execute(test.owner);
    expect(rows).toEqual([]);
  });

  it("nobody relays after a command where relays run elsewhere; the clock does", async () => {
    const edge = edgeWith({ RELAY: "off" });
    const id = await openJar(edge);
    expect(await isShown(id)).toBe(false);
    expect((await edge.drain()).more).toBe(false);
    expect(await isShown(id)).toBe(true);
  });

  it("a view that rests is looked after again", async () => {
    const rests = sql<Date>`clock_timestamp() + interval '600 milliseconds'`;
    await test.owner.updateTable("relay.checkpoints").set({ rests_until: rests })
      .where("subscription", "=", "jar_details").execute();
    expect(await isShown(await openJar(edgeWith()))).toBe(true);
  });

  it("a database has to be named", () => {
    const start = () => createEdge({ app, variables: {}, keepsConnections: false });
    expect(start).toThrow(InvalidSettings);
    expect(start).toThrow("Cannot start: DATABASE_URL is missing");
  });
});
