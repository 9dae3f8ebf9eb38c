import { sql } from "kysely";
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { publishers } from "../../src/app.ts";
import { createPost } from "../../src/process/post.ts";
import { beginPublishing } from "../../src/publish/begin.ts";
import type { Endpoint } from "../../src/publish/endpoint.ts";
import { publisher } from "../../src/publish/publisher.ts";
import { drain, drainBatch, tasksOf } from "../../src/relay/drain.ts";
import type { Handler } from "../../src/relay/handler.ts";
import { listParked, retryParked } from "../../src/relay/parked.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, makeDue } from "../support/handlers.ts";
import { seededRandom } from "../support/random.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();
const receiver = useReceiver();
const other = useReceiver();
const post = createPost("allow");
let endpoints = 0;

/** A publisher to a receiver, which begins after the events there are. */
async function addPublisher(given: Partial<Endpoint> = {}, options: Partial<Handler> = {}) {
  const endpoint = { name: `e${++endpoints}`, url: receiver.url, secret: SECRET, ...given };
  const handler = { ...publisher(endpoint, "urn:test", post), ...options };
  return await addHandler(test, handler.handle, handler);
}

type Relay = Awaited<ReturnType<typeof addPublisher>>["relay"];

async function drainWhatIsDue(relay: Relay): Promise<void> {
  await makeDue(test);
  await drain(relay, 5_000);
}

const names = () => receiver.received.map(({ name }) => name);

describe("a publisher", () => {
  it("sends an event as a CloudEvent", async () => {
    const { relay } = await addPublisher();
    const [id, causationId] = [crypto.randomUUID(), crypto.randomUUID()];
    const metadata = { actor: "anybody", correlationId: "request-1", causationId };
    await sql`select write.append('test-a', 0, ${
      JSON.stringify([{ id, type: "Tested", data: { pieces: 3, note: "naïve ☕" }, metadata }])
    }::text::jsonb, null)`.execute(test.command);
    await drain(relay, 5_000);

    const [{ event, headers } = expect.fail("nothing came")] = receiver.received;
    const { rows: [row] } = await sql<{ position: number; recorded_at: Date }>`
      select log.position, events.recorded_at from relay.log join write.events on id = event_id where id = ${id}`
      .execute(test.owner);
    expect(headers["content-type"]).toBe("application/cloudevents+json");
    expect(event).toEqual({
      specversion: "1.0",
      id,
      source: "urn:test",
      type: "Tested",
      subject: "test-a",
      time: row!.recorded_at.toISOString(),
      datacontenttype: "application/json",
      position: String(row!.position),
      streamversion: 1,
      correlationid: "request-1",
      causationid: causationId,
      data: { pieces: 3, note: "naïve ☕" },
    });
    for (const attribute of Object.keys(event)) expect(attribute).toMatch(/^[a-z0-9]{1,20}$/);
  });

  it("leaves out what an event does not have", async () => {
    const { relay } = await addPublisher();
    await append(test, "b");
    await drain(relay, 5_000);
    expect(Object.keys(receiver.received[0]!.event).toSorted()).toEqual(
      "data datacontenttype id position source specversion streamversion subject time type".split(" "),
    );
  });

  it("signs it as Standard Webhooks say, under the id of the event, each try with its own time", async () => {
    const { relay } = await addPublisher();
    await append(test, "c");
    receiver.answer = (answer) => answer.writeHead(500).end();
    await drain(relay, 5_000);
    await drainWhatIsDue(relay);
    expect(receiver.received.length).toBeGreaterThan(1);
    for (const { headers, body, event } of receiver.received) {
      const { "webhook-id": id, "webhook-timestamp": seconds, "webhook-signature": signature } = headers;
      expect(id).toBe(event.id);
      expect(Math.abs(Date.now() / 1_000 - Number(seconds))).toBeLessThan(60);
      const key = Buffer.from(SECRET.slice("whsec_".length), "base64");
      const expected = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
      expect(signature).toBe(`v1,${expected}`);
    }
    receiver.answer = (answer) => answer.writeHead(200).end();
    await drainWhatIsDue(relay);
  });

  it("sends only the types that the endpoint wants", async () => {
    const { relay } = await addPublisher({ types: ["Wanted", "AlsoWanted"] });
    for (const type of ["Tested", "Wanted", "Tested", "AlsoWanted"]) await append(test, "d", type);
    await drain(relay, 5_000);
    expect(names()).toEqual(["d2", "d4"]);
  });

  it.each([
    ["500", 500],
    ["a redirect", 307],
    ["a refusal", 404],
    ["304", 304],
  ])("sends again after %s, in the order of the stream, while other streams go on", async (_what, status) => {
    const { relay } = await addPublisher();
    let broken = true;
    const accepted: string[] = [];
    receiver.answer = (answer, { name }) => {
      const refuses = broken && name.startsWith("e");
      if (!refuses) accepted.push(name[0]!);
      answer.writeHead(refuses ? status : 202, refuses ? { location: other.url } : {}).end();
    };
    for (const stream of ["e", "f", "e", "f"]) await append(test, stream);
    await drain(relay, 5_000);
    expect(accepted).toEqual(["f", "f"]);
    const [first] = names().filter((name) => name.startsWith("e"));
    expect(names().filter((name) => name.startsWith("e") && name !== first)).toEqual([]);
    const { rows } = await sql<{ last_error: string }>`
      select last_error from relay.retries where last_error is not null`.execute(test.owner);
    expect(rows).toEqual([{
      last_error: `Cannot publish to ${new URL(receiver.url).host}: it answered ${status}`,
    }]);

    broken = false;
    await drainWhatIsDue(relay);
    const versions = receiver.received.filter(({ event }) => event.subject === "test-e").map(({ event }) =>
      event.streamversion
    );
    expect(versions.slice(-2)).toEqual([versions[0], versions[0] + 1]);
    expect(accepted).toEqual(["f", "f", "e", "e"]);
    expect(other.connections).toBe(0);
  });

  it("sends again after a receiver that hangs, and lets the others go on", async () => {
    const { relay } = await addPublisher({}, { timeoutMs: 100 });
    let hangs = true;
    const cut: string[] = [];
    receiver.answer = (answer, { name }) => {
      if (!hangs || !name.startsWith("g")) return void answer.writeHead(200).end();
      answer.on("close", () => cut.push(name));
    };
    // So that there is a connection to use again.
    await append(test, "h");
    await drain(relay, 5_000);
    for (const stream of ["g", "h", "g", "h"]) await append(test, stream);
    await drain(relay, 5_000);
    expect(names().filter((name) => name.startsWith("h"))).toEqual(["h1", "h2", "h3"]);
    expect(names()).not.toContain("g2");
    await until("the connection is cut", () => cut.includes("g1"));

    hangs = false;
    await drainWhatIsDue(relay);
    expect(names().slice(-2)).toEqual(["g1", "g2"]);
  });

  it("takes a 2xx for success whatever its body is, and cuts one that never ends", async () => {
    const { relay } = await addPublisher();
    let isCut = false;
    receiver.answer = (answer) => {
      answer.on("close", () => isCut = true).writeHead(200).write("x");
    };
    await append(test, "i");
    expect((await drain(relay, 5_000)).handled).toBe(1);
    await until("the connection is cut", () => isCut);
    expect(names()).toEqual(["i1"]);
  });

  it("cuts a body that is large", async () => {
    const { relay } = await addPublisher();
    let writtenMb = 0;
    let isCut = false;
    receiver.answer = (answer) => {
      const writeMore = () => {
        while (!isCut && writtenMb++ < 1_000 && answer.write("x".repeat(1_000_000)));
      };
      answer.on("close", () => isCut = true).on("drain", writeMore).writeHead(200);
      writeMore();
    };
    await append(test, "i");
    expect((await drain(relay, 5_000)).handled).toBe(1);
    await until("the connection is cut", () => isCut);
    // What the operating system buffers is not for us to bound.
    expect(writtenMb).toBeLessThan(50);
  });

  it("uses a connection again", async () => {
    const { relay } = await addPublisher();
    receiver.answer = (answer) => answer.writeHead(200).end("thank you");
    for (let event = 0; event < 10; event++) await append(test, "j");
    await drain(relay, 5_000);
    expect(names()).toHaveLength(10);
    expect(receiver.connections).toBeLessThan(10);
  });

  it.each([
    ["answers 500", () => receiver.url, "it answered 500"],
    ["is not there", () => "http://127.0.0.1:1/", "connect ECONNREFUSED 127.0.0.1:1"],
  ])("parks what a receiver that %s does not take, until it is sent again", async (_what, urlOf, reason) => {
    let url = urlOf();
    const endpoint = { name: `e${++endpoints}`, url, secret: SECRET };
    const handler: Handler = {
      ...publisher(endpoint, "urn:test", (_url, ...rest) => post(url, ...rest)),
      attemptsMax: 3,
    };
    const { name, relay } = await addHandler(test, handler.handle, handler);
    receiver.answer = (answer) => answer.writeHead(500).end();
    for (const stream of ["k", "k"]) await append(test, stream);
    for (let round = 0; round < 5; round++) await drainWhatIsDue(relay);
    const [parked, ...more] = await listParked(test.relay, 0, 10);
    expect(parked).toMatchObject({
      subscription: name,
      attempts: 3,
      waiting: 1,
      error: `Cannot publish to ${new URL(endpoint.url).host}: ${reason}`,
    });
    expect(more).toEqual([]);
    const { subscriptions: [status] } = await relayStatus(test.relay, relay.subscriptions);
    expect(status).toMatchObject({ name, kind: "publisher", lag: 0, parked: 1 });

    receiver.answer = (answer) => answer.writeHead(200).end();
    receiver.received = [];
    url = receiver.url;
    expect(await retryParked(test.relay, { subscription: name })).toBe(1);
    await drainWhatIsDue(relay);
    expect(receiver.received.map(({ event }) => event.id)[0]).toBe(parked!.eventId);
    expect(receiver.received).toHaveLength(2);
    expect(await listParked(test.relay, 0, 10)).toEqual([]);
  });
});

describe("two publishers", () => {
  it("go on by themselves when the receiver of one hangs", async () => {
    const slow = await addPublisher();
    const quick = await addPublisher({ url: other.url });
    const waiting: (() => void)[] = [];
    receiver.answer = (answer) => void waiting.push(() => answer.writeHead(200).end());
    const relay = {
      ...slow.relay,
      subscriptions: [...slow.relay.subscriptions, ...quick.relay.subscriptions],
    };
    for (let round = 1; round <= 3; round++) {
      await append(test, "l");
      await drainBatch(relay);
      await until("the other receiver has it", () => other.received.length === round);
      await until("it is settled", () => !tasksOf(relay).has(quick.name));
    }
    expect(names()).toEqual(["l1"]);
    const lags = (await relayStatus(test.relay, relay.subscriptions)).subscriptions.map(({ lag }) => lag);
    expect(lags).toEqual([3, 0]);

    receiver.answer = (answer) => answer.writeHead(200).end();
    waiting.forEach((end) => end());
    await drain(relay, 5_000);
    expect(names()).toEqual(["l1", "l2", "l3"]);
  });

  it("each have every event acknowledged once, those of a stream in order, whatever fails", async () => {
    const random = seededRandom("publishers");
    const [one, two] = [await addPublisher(), await addPublisher({ url: other.url })];
    const relay = { ...one.relay, subscriptions: [...one.relay.subscriptions, ...two.relay.subscriptions] };
    const acknowledged = [receiver, other].map((target) => {
      const taken: string[] = [];
      target.answer = (answer, { name }) => {
        if (random.chance(20)) return void answer.writeHead(503).end();
        if (random.chance(10)) return void answer.destroy();
        taken.push(name);
        answer.writeHead(200).end();
      };
      return taken;
    });
    const streams = ["m", "n", "o", "p", "q"];
    const appended: string[] = [];
    for (let event = 0; event < 60; event++) {
      const stream = streams[random.between(0, streams.length - 1)]!;
      await append(test, stream);
      appended.push(`${stream}${appended.filter((name) => name.startsWith(stream)).length + 1}`);
      if (random.chance(20)) await Promise.all([drainBatch(relay), drainBatch({ ...relay })]);
    }
    await until("all is sent", async () => {
      await drainWhatIsDue(relay);
      return acknowledged.every((taken) => taken.length >= appended.length);
    });
    const inOrder = (taken: string[]) =>
      streams.map((stream) => taken.filter((name) => name.startsWith(stream)));
    for (const taken of acknowledged) expect(inOrder(taken)).toEqual(inOrder(appended));
  });
});

describe("a publisher that is new in the settings", () => {
  const [added] = publishers([{ name: "new", url: "https://example.com", secret: SECRET }], "urn:test", post);

  it("begins with the next event, and its checkpoint stays when it begins again", async () => {
    await append(test, "r");
    await drain({ db: test.relay, subscriptions: [], delayMs: 0 }, 5_000);
    const positionOf = async () => (await relayStatus(test.relay, [added!])).subscriptions[0];
    expect(await positionOf()).toBeUndefined();
    await beginPublishing(test.relay, [added!]);
    expect(await positionOf()).toMatchObject({ name: "publish_new", kind: "publisher", lag: 0 });

    await append(test, "r");
    await drain({ db: test.relay, subscriptions: [], delayMs: 0 }, 5_000);
    await beginPublishing(test.relay, [added!]);
    expect(await positionOf()).toMatchObject({ lag: 1 });
  });

  it.each(["order_progress", "new_read_model", "publish_", "xpublish_a"])(
    "cannot be called %s",
    async (name) => {
      await expect(beginPublishing(test.relay, [{ name }])).rejects.toThrow("it is no publisher");
    },
  );
});
