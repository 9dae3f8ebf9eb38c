import { describe, expect, it } from "vitest";
import { drain, drainBatch } from "../../src/relay/drain.ts";
import { withOwnTasks } from "../../src/relay/relay.ts";
import { relayStatus } from "../../src/relay/status.ts";
import { useTestDatabase } from "../support/database.ts";
import { append } from "../support/handlers.ts";
import { addPublisher, drainWhatIsDue, together } from "./publishers.ts";
import { seededRandom } from "../support/random.ts";
import { useReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const test = useTestDatabase();
const receiver = useReceiver();
const other = useReceiver();
const names = () => receiver.received.map(({ name }) => name);

describe("two publishers", () => {
  it("go on by themselves when the receiver of one hangs", async () => {
    const slow = await addPublisher(test, receiver);
    const quick = await addPublisher(test, other);
    const waiting: (() => void)[] = [];
    receiver.answer = (answer) => void waiting.push(() => answer.writeHead(200).end());
    const relay = together(slow.relay, quick.relay);
    for (let round = 1; round <= 3; round++) {
      await append(test, "l");
      await drainBatch(relay);
      await until("the other receiver has it", () => other.received.length === round);
      await until("it is settled", () => !relay.tasks.has(quick.name));
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
    const [one, two] = [await addPublisher(test, receiver), await addPublisher(test, other)];
    const relay = together(one.relay, two.relay);
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
      if (random.chance(20)) await Promise.all([drainBatch(relay), drainBatch(withOwnTasks(relay))]);
    }
    await until("all is sent", async () => {
      await drainWhatIsDue(test, relay);
      return acknowledged.every((taken) => taken.length >= appended.length);
    });
    const inOrder = (taken: string[]) =>
      streams.map((stream) => taken.filter((name) => name.startsWith(stream)));
    for (const taken of acknowledged) expect(inOrder(taken)).toEqual(inOrder(appended));
  });
});
