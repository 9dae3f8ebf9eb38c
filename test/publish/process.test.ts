import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { MIGRATIONS } from "../../src/migrated.ts";
import { start, type Started } from "../../src/process/start.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { app } from "../jars/app.ts";
import { aJar } from "../jars/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { deleteLanes } from "../support/handlers.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const NEWEST = MIGRATIONS.at(-1)!;

describe("a program with endpoints in its settings", () => {
  const database = useTestDatabase({ jars: true });
  const receiver = useReceiver();
  let started: Started;
  const begin = (allowed: "allow" | "refuse", parts = { api: true, relay: true }) => {
    const settings = readSettings({
      PORT: "0",
      OPS_TOKEN: "the-operator-of-the-tests",
      PUBLISH_TO: JSON.stringify([{ name: "billing", url: receiver.url, secret: SECRET }]),
      PUBLISH_TO_PRIVATE_ADDRESSES: "allow",
      PUBLISH_SOURCE: "https://jars.example",
    });
    const allowing = { ...settings, ...{ PUBLISH_TO_PRIVATE_ADDRESSES: allowed } };
    return start(app, allowing, database.urls, "127.0.0.1", parts);
  };
  afterEach(() => started?.stop());

  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = {
      "authorization": "Bearer the-operator-of-the-tests",
      "content-type": "application/json",
    };
    return await (await fetch(`${started.url}${path}`, { ...init, headers })).json();
  };
  const openJar = () => ask("/jars", { method: "POST", body: JSON.stringify({ label: "Honey" }) });

  it("publishes from the next event on, and goes on there after another start", async () => {
    await aJar(database.command);
    await drain(createRelay({ db: database.relay, subscriptions: [] }), 5_000);
    started = await begin("allow");
    const { id } = await openJar();
    await until("it is published", () => receiver.received.length > 0);
    expect(receiver.received.map(({ event }) => event)).toMatchObject([
      { type: "JarOpened", source: "https://jars.example", subject: `jar-${id}` },
    ]);
    const { subscriptions } = await ask("/ops/relay");
    expect(subscriptions).toContainEqual(
      expect.objectContaining({ name: "publish_billing", kind: "publisher", parked: 0, lastError: null }),
    );

    await started.stop();
    const later = await aJar(database.command);
    started = await begin("allow");
    await until("it is published", () => receiver.received.length > 1);
    expect(receiver.received[1]!.event.subject).toBe(`jar-${later}`);
  });

  it("shows what was parked, and sends it when the operator says so", async () => {
    started = await begin("allow");
    receiver.answer = (answer) => answer.writeHead(500).end();
    const { id } = await openJar();
    const parked = await until("it is parked", async () => {
      await sql`
        update relay.lanes set attempts = 119, due_at = clock_timestamp()
        where attempts between 1 and 118 and state = 'resting'`.execute(database.owner);
      return (await ask("/ops/parked")).items[0];
    });
    expect(parked).toMatchObject({
      subscription: "publish_billing",
      stream: `jar-${id}`,
      attempts: 120,
      error: `Cannot publish to ${new URL(receiver.url).host}: it answered 500`,
    });

    receiver.answer = (answer) => answer.writeHead(200).end();
    await ask(`/ops/parked/${parked.id}/retry`, { method: "POST" });
    await until("it is forgotten", async () => {
      const { rows } = await sql`select from relay.lanes`.execute(database.owner);
      return rows.length === 0;
    });
    expect(receiver.received.at(-1)!.event.subject).toBe(`jar-${id}`);
  });

  it("does not publish to an address that is not public, and says so", async () => {
    started = await begin("refuse");
    await openJar();
    const error = await until("it has failed", async () => {
      const { rows: [row] } = await sql<{ last_error: string }>`
        select last_error from relay.lanes where last_error is not null`.execute(database.owner);
      return row?.last_error;
    });
    expect(error).toBe(
      `Cannot publish to ${
        new URL(receiver.url).host
      }: it is not public, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse`,
    );
    expect(receiver.connections).toBe(0);
    await deleteLanes(database);
  });

  it("has its publishers begin once the database is migrated", async () => {
    await sql`delete from relay.checkpoints where subscription = 'publish_billing'`.execute(database.owner);
    const { rows: [row] } = await sql<{ name: string; checksum: string | null }>`
      delete from migrations.applied where name = ${NEWEST} returning *`.execute(
      database.owner,
    );
    started = await begin("allow");
    await sql`insert into migrations.applied values (${row!.name}, ${row!.checksum})`.execute(
      database.owner,
    );
    await until("it begins", async () => {
      const { rows } = await sql`select from relay.checkpoints where subscription = 'publish_billing'`
        .execute(database.owner);
      return rows.length > 0;
    });
    await openJar();
    await until("it is published", () => receiver.received.length > 0);
  });

  it("has its publishers begin without a relay too: cron may be what drains", async () => {
    await sql`delete from relay.checkpoints where subscription = 'publish_billing'`.execute(database.owner);
    started = await begin("allow", { api: true, relay: false });
    await openJar();
    await ask("/ops/relay/drain", { method: "POST" });
    expect(receiver.received).toHaveLength(1);
  });
});
