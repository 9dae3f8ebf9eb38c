import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { listParked, retryAllParked } from "../../src/relay/handlers/parked.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { addPublisher, drainWhatIsDue, post } from "./publishers.ts";
import { useReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();
const receiver = useReceiver();
const other = useReceiver();
const names = () => receiver.received.map(({ name }) => name);

describe("a publisher", () => {
  it.each([
    ["500", 500],
    ["a redirect", 307],
    ["a refusal", 404],
    ["304", 304],
  ])("sends again after %s, in the order of the stream, while other streams go on", async (_what, status) => {
    const { relay } = await addPublisher(test, receiver);
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
      select last_error from relay.lanes where last_error is not null`.execute(test.owner);
    expect(rows).toEqual([{
      last_error: `Cannot publish to ${new URL(receiver.url).host}: it answered ${status}`,
    }]);

    broken = false;
    await drainWhatIsDue(test, relay);
    const versions = receiver.received.filter(({ event }) => event.subject === "test-e").map(({ event }) =>
      event.streamversion
    );
    expect(versions.slice(-2)).toEqual([versions[0], versions[0] + 1]);
    expect(accepted).toEqual(["f", "f", "e", "e"]);
    expect(other.connections).toBe(0);
  });

  it("sends again after a receiver that hangs, and lets the others go on", async () => {
    const { relay } = await addPublisher(test, receiver, { timeoutMs: 100 });
    let hangs = true;
    const cut: string[] = [];
    receiver.answer = (answer, { name }) => {
      if (!hangs || !name.startsWith("g")) return void answer.writeHead(200).end();
      answer.on("close", () => cut.push(name));
    };
    // Opens a connection to use again.
    await append(test, "h");
    await drain(relay, 5_000);
    for (const stream of ["g", "h", "g", "h"]) await append(test, stream);
    await drain(relay, 5_000);
    expect(names().filter((name) => name.startsWith("h"))).toEqual(["h1", "h2", "h3"]);
    expect(names()).not.toContain("g2");
    await until("the connection is cut", () => cut.includes("g1"));

    hangs = false;
    await drainWhatIsDue(test, relay);
    expect(names().slice(-2)).toEqual(["g1", "g2"]);
  });

  it("takes a 2xx for success whatever its body is, and cuts one that never ends", async () => {
    const { relay } = await addPublisher(test, receiver);
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
    const { relay } = await addPublisher(test, receiver);
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
    // The operating system buffers an unknown part of the body.
    expect(writtenMb).toBeLessThan(50);
  });

  it.each([
    ["answers 500", () => receiver.url, "it answered 500"],
    ["is not there", () => "http://127.0.0.1:1/", "connect ECONNREFUSED 127.0.0.1:1"],
  ])("parks what a receiver that %s does not take, until it is sent again", async (_what, urlOf, reason) => {
    let url = urlOf();
    const { host } = new URL(url);
    const { name, relay } = await addPublisher(
      test,
      { url },
      { attemptsMax: 3 },
      (_url, ...rest) => post(url, ...rest),
    );
    receiver.answer = (answer) => answer.writeHead(500).end();
    for (const stream of ["k", "k"]) await append(test, stream);
    for (let round = 0; round < 5; round++) await drainWhatIsDue(test, relay);
    const [parked, ...more] = await listParked(test.relay, ["", "", 0], 10);
    expect(parked).toMatchObject({
      subscription: name,
      attempts: 3,
      waiting: 1,
      error: `Cannot publish to ${host}: ${reason}`,
    });
    expect(more).toEqual([]);
    const { subscriptions: [status] } = await relayStatus(test.relay, relay.subscriptions);
    expect(status).toMatchObject({ name, kind: "publisher", lag: 2, failing: 0, parked: 1 });

    receiver.answer = (answer) => answer.writeHead(200).end();
    receiver.received = [];
    url = receiver.url;
    expect(await retryAllParked(test.relay, { subscription: name })).toBe(1);
    await drainWhatIsDue(test, relay);
    expect(receiver.received.map(({ event }) => event.id)[0]).toBe(parked!.eventId);
    expect(receiver.received).toHaveLength(2);
    expect(await listParked(test.relay, ["", "", 0], 10)).toEqual([]);
  });
});
