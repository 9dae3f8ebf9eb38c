import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../../src/compose.ts";
import { CheckpointBeyondLog } from "../../src/errors.ts";
import { createRelay, drain, drainBatch } from "../../src/relay/drain.ts";
import { recordFailure } from "../../src/relay/hand-out.ts";
import { relayStatus } from "../../src/relay/status.ts";
import type { Subscription } from "../../src/relay/subscription.ts";
import { anOrder, aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase();

const relayWith = (...all: Subscription[]) => createRelay({ db: test.relay, subscriptions: all });
const named = (name: string) => readModelSubscriptions.find((subscription) => subscription.name === name)!;

describe("drain", () => {
  it("writes nothing when there is nothing to do", async () => {
    await anOrder(test.command);
    await drain(relayWith(...readModelSubscriptions), 5_000);
    const before = await rowVersions();

    expect(await drain(relayWith(...readModelSubscriptions), 5_000)).toEqual({ handled: 0, more: false });
    expect(await rowVersions()).toEqual(before);
  });

  it("hands out batches of the given size, in order, until nothing is left", async () => {
    const batches: number[][] = [];
    const catalog = named("product_catalog");
    const watched: Subscription = {
      ...catalog,
      handle(db, batch) {
        batches.push(batch.events.map(({ position }) => position));
        return catalog.handle(db, batch);
      },
    };
    for (let product = 0; product < 7; product++) await aProduct(test.command);
    await drain(relayWith(), 5_000);
    const { position: from } = await checkpoint("product_catalog");

    expect(await drain(relayWith(watched), 5_000, 3)).toEqual({ handled: 7, more: false });
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7]].map((batch) => batch.map((place) => from + place)));
  });

  it("says that there is more when a batch was too small", async () => {
    await aProduct(test.command);
    await aProduct(test.command);
    expect(await drainBatch(relayWith(named("product_catalog")), 1)).toEqual({ handled: 1, more: true });
    await drain(relayWith(...readModelSubscriptions), 5_000);
  });

  it("lets a subscription that fails rest, says why, and lets the others go on", async () => {
    await sql`alter table read.product_catalog rename to broken`.execute(test.owner);
    const id = await anOrder(test.command);
    await drain(relayWith(...readModelSubscriptions), 5_000);

    const status = await relayStatus(test.relay, readModelSubscriptions);
    const [catalog, orders] = ["product_catalog", "order_details"].map((name) =>
      status.subscriptions.find((subscription) => subscription.name === name)!
    );
    expect(catalog).toMatchObject({ lag: 2, lastError: expect.stringContaining("product_catalog") });
    expect(orders).toMatchObject({ lag: 0, lastError: null });
    expect(
      await test.query.selectFrom("read.order_details").select("status").where("order_id", "=", id).execute(),
    )
      .toEqual([{ status: "placed" }]);
    expect((await drainBatch(relayWith(...readModelSubscriptions))).handled).toBe(0);

    await sql`alter table read.broken rename to product_catalog`.execute(test.owner);
    await sql`update relay.checkpoints set rests_until = now()`.execute(test.owner);
    await drain(relayWith(...readModelSubscriptions), 5_000);
    expect(await checkpoint("product_catalog")).toMatchObject({ last_error: null });
  });

  it("does not handle again what another relay has handled", async () => {
    const { position } = await checkpoint("order_details");
    await anOrder(test.command);
    const stale = { from: position, to: position + 1, events: [] };
    await drain(relayWith(...readModelSubscriptions), 5_000);
    const after = await checkpoint("order_details");

    expect(await named("order_details").handle(test.relay, stale)).toBe(false);
    expect(await checkpoint("order_details")).toEqual(after);
  });

  it("refuses to go on when a checkpoint is beyond the log", async () => {
    const restored = { ...(await checkpoint("order_details")), position: 1_000_000 };
    await sql`update relay.checkpoints set position = ${restored.position} where subscription = 'order_details'`
      .execute(test.owner);

    const draining = drain(relayWith(...readModelSubscriptions), 5_000);
    await expect(draining).rejects.toThrow(CheckpointBeyondLog);
    await expect(draining).rejects.toThrow("order_details is at position 1000000, but the log ends at");
  });

  it("leaves out a subscription that has no checkpoint, and goes on with the others", async () => {
    await sql`update relay.checkpoints set position = 0 where subscription = 'order_details'`.execute(
      test.owner,
    );
    const unknown = { ...named("order_details"), name: "unheard_of" };
    expect((await drain(relayWith(unknown, named("order_details")), 5_000)).handled).toBeGreaterThan(0);
  });

  it("lets the others go on when a subscription has a bug", async () => {
    await drain(relayWith(...readModelSubscriptions), 5_000);
    await anOrder(test.command);
    const buggy = { ...named("order_details"), handle: () => Promise.reject(new TypeError("no such thing")) };
    expect(await drain(relayWith(buggy, named("product_catalog")), 5_000)).toEqual({
      handled: 2,
      more: true,
    });
    expect(await checkpoint("order_details")).toMatchObject({ last_error: "no such thing" });
  });

  it("does not hold an old failure against a subscription that has gone on", async () => {
    const { position } = await checkpoint("product_catalog");
    await recordFailure(test.relay, "product_catalog", position - 1, "too late", 0);
    expect(await checkpoint("product_catalog")).toMatchObject({ last_error: null });
  });
});

describe("the status of the relay", () => {
  it("counts events that still wait for their position", async () => {
    await drain(relayWith(...readModelSubscriptions), 5_000);
    await aProduct(test.command);
    const status = await relayStatus(test.relay, [named("product_catalog")]);
    expect(status).toMatchObject({ outbox: 1, subscriptions: [{ lag: 1 }] });
    expect(status.subscriptions[0]!.lagSeconds).toBeGreaterThan(0);
  });
});

function checkpoint(name: string) {
  return test.relay.selectFrom("relay.checkpoints").select(["position", "last_error"])
    .where("subscription", "=", name).executeTakeFirstOrThrow();
}

/** Returns the physical versions of the rows: any write would change the result. */
async function rowVersions() {
  const { rows } = await sql`
    select 'state' as row, xmin::text, xmax::text, ctid::text from relay.state
    union all select subscription, xmin::text, xmax::text, ctid::text from relay.checkpoints
    union all select 'orders', max(xmin::text), max(xmax::text), max(ctid::text) from read.order_details
    order by 1`.execute(test.owner);
  return rows;
}
