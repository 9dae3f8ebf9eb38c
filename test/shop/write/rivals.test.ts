import { describe, expect, it } from "vitest";
import { CommandRejected } from "../../../src/errors.ts";
import { reserveStock } from "../../../src/features/inventory/commands/reserve-stock.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../src/write/execute.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { hold, untilBlocked } from "../../support/hold.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";

const test = useTestDatabase();

describe("a command whose rival has not committed yet", () => {
  it("does not sell the last piece twice", async () => {
    const id = await aProduct(test.command, { pieces: 1 });
    const reserve = () => ({ id, input: { orderId: crypto.randomUUID(), quantity: 1 } });
    const rival = await hold(test.command, (trx) => execute(trx, reserveStock, reserve(), anybody));

    const reserving = execute(test.command, reserveStock, reserve(), anybody);
    reserving.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(reserving).rejects.toMatchObject({ code: "insufficient-stock" });
  });
});

describe("a command whose reference disappears between its load and its save", () => {
  it("is rejected", async () => {
    const [customerId, productId] = [await aCustomer(test.command), await aProduct(test.command)];
    const rival = await hold(
      test.command,
      (trx) => trx.deleteFrom("write.customers").where("id", "=", customerId).execute(),
    );

    const placing = execute(test.command, placeOrder, {
      input: { customerId, lines: [{ productId, quantity: 1 }] },
    }, anybody);
    placing.catch(() => {});
    await untilBlocked(test.owner);
    await rival.commit();

    await expect(placing).rejects.toThrow(CommandRejected);
    await expect(placing).rejects.toMatchObject({ code: "unknown-customer" });
  });
});
