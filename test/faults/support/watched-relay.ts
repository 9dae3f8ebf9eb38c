import { expect } from "vitest";
import { handlers, subscriptions } from "../../../src/app.ts";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { type Listener, listListeners } from "../../../src/relay/listeners.ts";
import { runRelay } from "../../../src/relay/run.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import type { TestDatabase } from "../../support/database.ts";
import { untilShown } from "../../support/shown.ts";
import { until } from "../../support/until.ts";
import { verify } from "./oracle.ts";
import { report } from "./report.ts";

const NOTICED_MS = 15_000;

export interface WatchedRelay {
  start(directUrl: string): void;
  stop(): Promise<void>;
  /** Waits until it says whether it hears what writers notify. */
  untilListening(listening: boolean): Promise<Listener>;
  /** A command whose event is shown, however the relay learns of it. */
  addAndSee(): Promise<void>;
  /** Holds everything against what must be true, and prints the row of the fault. */
  verify(fault: string, remark: string): Promise<void>;
}

/** A relay in this process, whose listening is what goes wrong. */
export function watchedRelay(test: TestDatabase): WatchedRelay {
  let stopping = new AbortController();
  let running: Promise<void> = Promise.resolve();
  const acknowledged: string[] = [];
  return {
    start(directUrl) {
      stopping = new AbortController();
      const all = [...subscriptions, ...handlers(test.command)];
      running = runRelay({ db: test.relay, subscriptions: all, delayMs: 0 }, directUrl, stopping.signal);
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
