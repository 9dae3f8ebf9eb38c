import { sleep } from "../../../../src/sleep.ts";
import { cancelOrder } from "../../../../src/features/ordering/commands/cancel-order.ts";
import { placeOrder } from "../../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../../support/arrange.ts";
import { anybody } from "../../../support/context.ts";
import type { TestDatabase } from "../../../support/database.ts";
import type { Random } from "../../../support/random.ts";

export interface SteadyLoad {
  /** The ids of the last events of the commands carried out. */
  acknowledged: string[];
  stop(): Promise<void>;
}

const PAUSE_MS_MAX = 300;

/** Places orders, and cancels some orders, without an API in between, until `stop`. */
export async function startSteadyLoad(
  { command }: TestDatabase,
  random: Random,
  clients = 2,
): Promise<SteadyLoad> {
  const stopping = new AbortController();
  const acknowledged: string[] = [];
  const customerId = await aCustomer(command);
  const products = await Promise.all([1, 2, 3].map(() => aProduct(command, { pieces: 1_000 })));
  const running = Array.from({ length: clients }, async () => {
    while (!stopping.signal.aborted) {
      const lines = [{ productId: products[random.between(0, products.length - 1)]!, quantity: 1 }];
      const placed = await execute(command, placeOrder, { input: { customerId, lines } }, anybody);
      acknowledged.push(placed.lastEventId!);
      await sleep(random.between(100, PAUSE_MS_MAX));
      if (random.chance(30)) {
        const cancelled = await execute(
          command,
          cancelOrder,
          { id: placed.id, input: { reason: "no" } },
          anybody,
        );
        acknowledged.push(cancelled.lastEventId!);
      }
    }
  });
  return {
    acknowledged,
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}
