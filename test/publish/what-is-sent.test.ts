import { sql } from "kysely";
import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { addPublisher, drainWhatIsDue } from "./publishers.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";

const test = useTestDatabase();
const receiver = useReceiver();

describe("a publisher", () => {
  it("sends an event as a CloudEvent", async () => {
    const { relay } = await addPublisher(test, receiver);
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
    const { relay } = await addPublisher(test, receiver);
    await append(test, "b");
    await drain(relay, 5_000);
    expect(Object.keys(receiver.received[0]!.event).toSorted()).toEqual(
      "data datacontenttype id position source specversion streamversion subject time type".split(" "),
    );
  });

  it("signs it as Standard Webhooks say, under the id of the event, each try with its own time", async () => {
    const { relay } = await addPublisher(test, receiver);
    await append(test, "c");
    receiver.answer = (answer) => answer.writeHead(500).end();
    await drain(relay, 5_000);
    await drainWhatIsDue(test, relay);
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
    await drainWhatIsDue(test, relay);
  });

  it("signs it with the time of the database, however wrong the clock of its own machine is", async () => {
    const { relay } = await addPublisher(test, receiver);
    await append(test, "l");
    const shifted = relay.db.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: ({ result: { rows, ...result } }) =>
        Promise.resolve({
          ...result,
          rows: rows.map((row) => {
            const found = row["found"] as { now: string } | undefined;
            return found?.now
              ? { ...row, found: { ...found, now: new Date(Date.parse(found.now) + 200_000) } }
              : row;
          }),
        }),
    });
    await drain({ ...relay, db: shifted }, 5_000);
    const seconds = Number(receiver.received[0]!.headers["webhook-timestamp"]);
    expect(Math.abs(Date.now() / 1_000 + 200 - seconds)).toBeLessThan(60);
  });

  it("sends only the types that the endpoint wants", async () => {
    const { relay } = await addPublisher(test, receiver, { types: ["Wanted", "AlsoWanted"] });
    for (const type of ["Tested", "Wanted", "Tested", "AlsoWanted"]) await append(test, "d", type);
    await drain(relay, 5_000);
    expect(receiver.received.map(({ name }) => name)).toEqual(["d2", "d4"]);
  });

  it("uses a connection again", async () => {
    const { relay } = await addPublisher(test, receiver);
    receiver.answer = (answer) => answer.writeHead(200).end("thank you");
    for (let event = 0; event < 10; event++) await append(test, "j");
    await drain(relay, 5_000);
    expect(receiver.received).toHaveLength(10);
    expect(receiver.connections).toBeLessThan(10);
  });
});
