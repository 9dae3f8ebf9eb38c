import { describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../../src/compose.ts";
import { shipOrder } from "../../src/features/ordering/commands/ship-order.ts";
import { listQueue } from "../../src/features/ordering/queries/fulfilment-queue.ts";
import { createRelay, drain } from "../../src/relay/drain.ts";
import { execute } from "../../src/write/execute.ts";
import { anOrder } from "../support/arrange.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase();
const drainAll = () => drain(createRelay({ db: test.relay, subscriptions: readModelSubscriptions }), 5_000);

describe("a read model that is refreshed by changed keys", () => {
  it("forgets what its definition no longer shows", async () => {
    const [shipped, waiting] = [
      await anOrder(test.command, { confirmed: true }),
      await anOrder(test.command, { confirmed: true }),
    ];
    await drainAll();
    expect(await queued()).toEqual([shipped, waiting]);

    await execute(test.command, shipOrder, { id: shipped, input: {} }, anybody);
    await drainAll();
    expect(await queued()).toEqual([waiting]);
  });

  it("does not write rows that have not changed", async () => {
    const before = await rowVersions();
    await test.relay.updateTable("relay.checkpoints").set({ position: 0 }).execute();
    await drainAll();
    expect(await rowVersions()).toEqual(before);
  });
});

async function queued(): Promise<string[]> {
  const { rows } = await listQueue(test.query, 10, { level: "eventual" });
  return rows.map(({ id }) => id);
}

function rowVersions() {
  return test.owner.selectFrom("read.order_details").select(["order_id", "xmin" as "version"]).orderBy(
    "order_id",
  ).execute();
}
