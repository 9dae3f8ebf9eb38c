import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { beginPublishing } from "../../src/publish/begin.ts";
import { publisher } from "../../src/publish/publisher.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { addPublisher, post } from "./publishers.ts";
import { subscribeHandler } from "../../src/relay/handlers/subscribe-handler.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";

const test = useTestDatabase({ jars: true });
const receiver = useReceiver();
const names = () => receiver.received.map(({ name }) => name);

describe("a publisher that is new in the settings", () => {
  const endpoint = { name: "new", url: "https://example.com", secret: SECRET };
  const added = subscribeHandler(publisher(endpoint, "urn:test", post));

  it("begins with the next event, and its checkpoint stays when it begins again", async () => {
    await append(test, "r");
    await drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
    const positionOf = async () => (await relayStatus(test.relay, [added])).subscriptions[0];
    expect(await positionOf()).toBeUndefined();
    await beginPublishing(test.relay, [added]);
    expect(await positionOf()).toMatchObject({ name: "publish_new", kind: "publisher", lag: 0 });

    await append(test, "r");
    await drain(createRelay({ db: test.relay, subscriptions: [] }), 5_000);
    await beginPublishing(test.relay, [added]);
    expect(await positionOf()).toMatchObject({ lag: 1 });
  });

  it.each(["jar_details", "new_read_model", "publish_", "xpublish_a"])(
    "cannot be called %s",
    async (name) => {
      await expect(beginPublishing(test.relay, [{ name }])).rejects.toThrow("it is no publisher");
    },
  );
});

describe("a publisher", () => {
  it("can be told of everything again, as docs/publish.md says", async () => {
    const { name, relay } = await addPublisher(test, receiver);
    receiver.answer = (answer, { name }) => answer.writeHead(name === "s1" ? 500 : 200).end();
    for (const stream of ["s", "s", "t"]) await append(test, stream);
    await drain(relay, 5_000);

    const page = await readFile("docs/publish.md", "utf8");
    const [, statements] = page.match(/```sql\n(begin;[^`]+)```/)!;
    await test.driver(test.urls.owner).unsafe(statements!.replaceAll("publish_billing", name)).simple();
    receiver.answer = (answer) => answer.writeHead(200).end();
    receiver.received = [];
    await drain(relay, 5_000);
    expect(receiver.received.map(({ event }) => Number(event.position)).toSorted((a, b) => a - b))
      .toEqual(receiver.received.map((_, place) => place + 1));
    expect(names()).toEqual(expect.arrayContaining(["s1", "s2", "t1"]));
  });
});
