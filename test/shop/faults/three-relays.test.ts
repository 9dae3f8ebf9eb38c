import pMap from "p-map";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../src/write/execute.ts";
import { FAULT_MS } from "../../faults/support/length.ts";
import { report } from "../../faults/support/report.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { until } from "../../support/until.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { verify } from "./support/oracle.ts";
import { useRelayPrograms } from "./support/relay-programs.ts";

const PLACES = 100;
const ORDERS = 4 * PLACES;
const CALL_MS = 25_000;

describe("a gateway that takes long for everybody", () => {
  const database = useTestDatabase();
  const relayWith = useRelayPrograms();

  it("is asked for three times as much at once by three relays, and nobody is cancelled", async () => {
    for (let relays = 0; relays < 3; relays++) relayWith(database.urls);
    await place(ORDERS);
    await until(
      "three relays are full",
      async () => await countPayments("status = 'requested'") >= 3 * PLACES,
      FAULT_MS,
    );
    expect(await countPayments("status = 'requested'")).toBe(3 * PLACES);
    await until(
      "all are paid",
      async () => await countPayments("status = 'taken'", "true") === ORDERS,
      FAULT_MS,
    );

    const verdict = await verify(database.owner, { acknowledged: [] });
    await report(
      "Gateway slow, three relays",
      verdict,
      { seed: "none" },
      `${ORDERS} orders, calls of ${CALL_MS / 1_000} s`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, FAULT_MS);

  async function place(orders: number): Promise<void> {
    const customerId = await aCustomer(database.command);
    const productId = await aProduct(database.command, { pieces: orders });
    const input = { customerId, lines: [{ productId, quantity: 1 }], paymentToken: `slow-${CALL_MS}` };
    await pMap(Array(orders).keys(), () => execute(database.command, placeOrder, { input }, anybody), {
      concurrency: 8,
    });
  }

  /** Counts payments that the gateway was asked for. */
  async function countPayments(status: string, asked = "answer_due_at is not null"): Promise<number> {
    const { rows: [row] } = await sql<{ count: number }>`
      select count(*) from write.payments where ${sql.raw(status)} and ${sql.raw(asked)}`.execute(
      database.owner,
    );
    return Number(row!.count);
  }
});
