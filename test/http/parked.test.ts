import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { OPS_TOKEN, useTestApp } from "../support/app.ts";
import { addHandler, append, deleteLanes, makeDue } from "../support/handlers.ts";

const app = useTestApp();
const asOperator = { authorization: `Bearer ${OPS_TOKEN}` };

const listParked = async (query = "") => (await app.get(`/ops/parked${query}`, asOperator)).body;
const retry = (path: string, body?: object) => app.post(`/ops/parked${path}`, body, asOperator);

/** Parks the first event of each stream for a subscription. `mend` ends the failures, `drainDue` retries. */
async function parkFirstOf(...streams: string[]) {
  let isBroken = true;
  const { name, relay } = await addHandler(app.database, () => {
    if (isBroken) throw new Error("Out of order");
  }, { attemptsMax: 1 });
  for (const stream of streams) await append(app.database, stream);
  const drainDue = async () => {
    await makeDue(app.database);
    await drain(relay, 5_000);
  };
  await drainDue();
  await drainDue();
  return {
    name,
    drainDue,
    mend: () => void (isBroken = false),
  };
}

afterEach(() => deleteLanes(app.database));

describe("GET /ops/parked", () => {
  it("shows what was given up, why, and how many events wait behind it", async () => {
    const { name } = await parkFirstOf("a", "a", "b");
    const { items, next } = await listParked();
    expect(next).toBeNull();
    expect(items).toEqual(["a", "b"].map((stream) => ({
      id: `${name}:test-${stream}:1`,
      subscription: name,
      position: expect.any(Number),
      eventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      stream: `test-${stream}`,
      version: 1,
      type: "Tested",
      attempts: expect.any(Number),
      error: "Out of order",
      parkedAt: expect.stringMatching(/^\d{4}-.+Z$/),
      waiting: stream === "a" ? 1 : 0,
    })));
  });

  it("has pages", async () => {
    await parkFirstOf("c", "d", "e");
    const first = await listParked("?limit=2");
    expect(first.items.map(({ stream }: { stream: string }) => stream)).toEqual(["test-c", "test-d"]);
    const second = await listParked(`?limit=2&after=${first.next}`);
    expect(second).toMatchObject({ items: [{ stream: "test-e" }], next: null });
  });

  it("is for the operator only", async () => {
    expect((await app.get("/ops/parked")).status).toBe(401);
    expect((await app.post("/ops/parked/1/retry")).status).toBe(401);
    expect((await app.post("/ops/parked/retry", { subscription: "x" })).status).toBe(401);
  });
});

describe("POST /ops/parked/{id}/retry", () => {
  it("has the event tried again, and those behind it follow", async () => {
    const { drainDue, mend } = await parkFirstOf("f", "f");
    const { items: [parked] } = await listParked();
    mend();
    expect(await retry(`/${parked.id}/retry`)).toMatchObject({ status: 200, body: { retried: 1 } });
    await drainDue();
    expect(await app.database.owner.selectFrom("relay.lanes").selectAll().execute()).toEqual([]);
  });

  it("is refused when the event is not parked any more: a double click does nothing", async () => {
    const { drainDue, mend } = await parkFirstOf("j", "j");
    const { items: [parked] } = await listParked();
    mend();
    await retry(`/${parked.id}/retry`);
    expect(await retry(`/${parked.id}/retry`)).toMatchObject({
      status: 409,
      body: { code: "no-longer-parked" },
    });
    await drainDue();
    expect(await retry(`/${parked.id}/retry`)).toMatchObject({ status: 409 });
  });

  it("is refused when the event was handled, and a later one of the stream is parked", async () => {
    const { drainDue } = await parkFirstOf("o", "o");
    const { items: [parked] } = await listParked();
    await retry(`/${parked.id}/skip`, { reason: "tried" });
    await drainDue();
    expect((await listParked()).items).toMatchObject([{ stream: "test-o", version: 2 }]);
    expect(await retry(`/${parked.id}/retry`)).toMatchObject({ status: 409 });
    expect((await listParked()).items).toMatchObject([{ stream: "test-o", version: 2 }]);
  });

  it("does not know an event that does not exist", async () => {
    expect(await retry("/nobody:test-x:1/retry")).toMatchObject({ status: 404, body: { code: "not-found" } });
    expect(await retry("/zero/retry")).toMatchObject({ status: 400, body: { code: "invalid-input" } });
  });
});

describe("POST /ops/parked/{id}/skip", () => {
  it("passes over the event, once, and keeps who did it and why; those behind follow", async () => {
    const { name, drainDue, mend } = await parkFirstOf("k", "k", "k");
    const { items: [parked] } = await listParked();
    const skip = () => retry(`/${parked.id}/skip`, { reason: "sold twice, settled by phone" });
    expect(await skip()).toMatchObject({ status: 200, body: { skipped: 1 } });
    expect(await skip()).toMatchObject({ status: 409, body: { code: "no-longer-parked" } });
    mend();
    await drainDue();
    expect(await app.database.owner.selectFrom("relay.lanes").selectAll().execute()).toEqual([]);
    const { rows } = await sql`select subscription, stream, version, attempts, last_error, reason, skipped_by
      from relay.skipped where subscription = ${name}`.execute(app.database.owner);
    expect(rows).toEqual([{
      subscription: name,
      stream: "test-k",
      version: 1,
      attempts: 1,
      last_error: "Out of order",
      reason: "sold twice, settled by phone",
      skipped_by: "operator",
    }]);
  });

  it("needs a reason, and the operator", async () => {
    await parkFirstOf("l");
    const { items: [parked] } = await listParked();
    expect(await retry(`/${parked.id}/skip`, { reason: "" })).toMatchObject({ status: 400 });
    expect(await retry(`/${parked.id}/skip`)).toMatchObject({ status: 400 });
    expect((await app.post(`/ops/parked/${parked.id}/skip`, { reason: "x" })).status).toBe(401);
  });
});

describe("POST /ops/parked/retry", () => {
  it("has everything tried again that a subscription has given up", async () => {
    const one = await parkFirstOf("g", "h");
    await parkFirstOf("i");
    expect(await retry("/retry", { subscription: one.name })).toMatchObject({
      status: 200,
      body: { retried: 2 },
    });
    expect((await listParked()).items).toMatchObject([{ stream: "test-i" }]);
    expect(await retry("/retry", {})).toMatchObject({ status: 400 });
  });

  it("has everything tried again that failed with one error", async () => {
    const { name } = await parkFirstOf("m", "n");
    await sql`update relay.lanes set last_error = 'Another' where stream = 'test-n'`.execute(
      app.database.owner,
    );
    const body = { subscription: name, error: "Another" };
    expect(await retry("/retry", body)).toMatchObject({ status: 200, body: { retried: 1 } });
    expect((await listParked()).items).toMatchObject([{ stream: "test-m" }]);
  });
});
