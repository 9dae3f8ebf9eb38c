import { expect } from "vitest";
import { handlers } from "../../../src/app.ts";
import { readModelSubscriptions } from "../../../src/compose.ts";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { type Listener, listListeners } from "../../../src/relay/waking/listeners.ts";
import { runRelay } from "../../../src/relay/waking/run.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import type { TestDatabase } from "../../support/database.ts";
import { untilShown } from "../../support/shown.ts";
import { until } from "../../support/until.ts";
import { verify } from "./oracle.ts";
import { report } from "./report.ts";
import { createRelay } from "../../../src/relay/drain.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";

const NOTICED_MS = 15_000;

export interface WatchedRelay {
  start(directUrl: string): void;
  stop(): Promise<void>;
  /** Waits until the relay reports to hear writers' notifications (true), or not to hear (false). */
  untilListening(listening: boolean): Promise<Listener>;
  /** Adds a product and waits until queries show the product, with or without notifications. */
  addAndSee(): Promise<void>;
  /** Checks all stored data, and prints the row of the fault. */
  verify(fault: string, remark: string): Promise<void>;
}

/** Creates a relay in this process, for faults of the listening connection. */
export function watchedRelay(test: TestDatabase): WatchedRelay {
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const acknowledged: string[] = [];
  return {
    start(directUrl) {
      stopping = new AbortController();
      const all = [...readModelSubscriptions, ...handlers(test.command).map(subscribeHandler)];
      running = runRelay(createRelay({ db: test.relay, subscriptions: all }), directUrl, stopping.signal);
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
    async addAndSee() {
      const input = { name: "Desk lamp", priceCents: 4_900 };
      const { id, lastEventId } = await execute(test.command, addProduct, { input }, anybody);
      acknowledged.push(lastEventId!);
      await untilShown(test, id);
    },
    async verify(fault, remark) {
      const verdict = await verify(test.owner, { acknowledged });
      await report(fault, verdict, { seed: "none" }, remark);
      expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
    },
  };
}
