import { expect } from "vitest";
import { subscribeReadModel } from "../../../src/read/read-model.ts";
import { type Listener, listListeners } from "../../../src/relay/waking/listeners.ts";
import { runRelay } from "../../../src/relay/waking/run.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import type { TestDatabase } from "../../support/database.ts";
import { until } from "../../support/until.ts";
import { app } from "../../jars/app.ts";
import { openJar } from "../../jars/jar.ts";
import { untilShown } from "../../jars/shown.ts";
import { verify } from "./oracle.ts";
import { report } from "./report.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";

const NOTICED_MS = 15_000;

export interface WatchedRelay {
  start(directUrl: string): void;
  stop(): Promise<void>;
  /** Waits until the relay reports to hear writers' notifications (true), or not to hear (false). */
  untilListening(listening: boolean): Promise<Listener>;
  /** Opens a jar and waits until queries show the jar, with or without notifications. */
  openAndSee(): Promise<void>;
  /** Checks all stored data, and prints the row of the fault. */
  verify(fault: string, remark: string): Promise<void>;
}

/** Creates a relay in this process, for faults of the listening connection. */
export function watchedRelay(test: TestDatabase): WatchedRelay {
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const acknowledged: string[] = [];
  const subscribed = () => [
    ...app.readModels.map(subscribeReadModel),
    ...app.handlers(test.command).map(subscribeHandler),
  ];
  return {
    start(directUrl) {
      stopping = new AbortController();
      const relay = createRelay({ db: test.relay, subscriptions: subscribed() });
      running = runRelay(relay, directUrl, stopping.signal);
    },
    async stop() {
      stopping.abort();
      await running;
    },
    async untilListening(listening) {
      return await until(`it ${listening ? "hears" : "is deaf"}, and says so`, async () => {
        const relays = await listListeners(test.relay);
        return relays.length === 1 && relays[0]!.listening === listening && relays[0]!;
      }, NOTICED_MS);
    },
    async openAndSee() {
      const { id, lastEventId } = await execute(
        test.command,
        openJar,
        { input: { label: "Honey" } },
        anybody,
      );
      acknowledged.push(lastEventId!);
      await untilShown(test, id);
    },
    async verify(fault, remark) {
      const subscriptions = subscribed().map(({ name }) => name);
      const verdict = await verify(test.owner, { acknowledged, subscriptions });
      await report(fault, verdict, { seed: "none" }, remark);
      expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
    },
  };
}
