import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { fulfilment } from "../../../src/features/fulfilment/process-manager.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { collectPayments, timeOutPayments } from "../../../src/features/payments/collect-payments.ts";
import { requestPayment } from "../../../src/features/payments/commands/request-payment.ts";
import type { PaymentGateway } from "../../../src/features/payments/gateway.ts";
import { sampleGateway } from "../../../src/features/payments/sample-gateway.ts";
import { drain } from "../../../src/relay/drain.ts";
import type { Handler } from "../../../src/relay/handlers/handler.ts";
import { toHandler } from "../../../src/relay/handlers/process-manager.ts";
import { execute } from "../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import {
  cancel,
  drainWhatIsDue,
  passTimeLimit,
  progressOf,
  shopRelay,
  takenFor,
} from "../support/fulfilment.ts";
import { listLanes, repeating } from "../../support/handlers.ts";
import { until } from "../../support/until.ts";

const test = useTestDatabase();
let customerId: string;
beforeAll(async () => {
  customerId = await aCustomer(test.command);
});

const relayOf = (given?: Handler[]) => shopRelay(test, given);
const statusOf = (id: string) => progressOf(test, id);

async function place(productId: string, quantity: number, paymentToken = "visa"): Promise<string> {
  const input = { customerId, lines: [{ productId, quantity }], paymentToken };
  return (await execute(test.command, placeOrder, { input }, anybody)).id;
}

describe("the fulfilment of an order", () => {
  it("reserves stock, takes the payment and confirms", async () => {
    const productId = await aProduct(test.command, { pieces: 5 });
    const id = await place(productId, 2);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "confirmed", reserved_pieces: 2, payment: "taken" });
    expect(await takenFor(test, [id])).toBe(9_800);
  });

  it("cancels the order when there is not enough stock, and releases what was reserved", async () => {
    const [plenty, scarce] = [
      await aProduct(test.command, { pieces: 5 }),
      await aProduct(test.command, { pieces: 1 }),
    ];
    const lines = [{ productId: plenty, quantity: 2 }, { productId: scarce, quantity: 2 }];
    const { id } = await execute(test.command, placeOrder, { input: { customerId, lines } }, anybody);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reason: "out-of-stock",
      reserved_pieces: 0,
      payment: null,
    });
  });

  it("cancels the order when the total cannot be charged exactly", async () => {
    const productId = await aProduct(test.command, { pieces: 5 });
    const line = { productId, quantity: 2, unitPriceCents: Number.MAX_SAFE_INTEGER };
    // A decision without a look at the total.
    const careless: typeof placeOrder = {
      ...placeOrder,
      decide: () => [{ type: "OrderPlaced", data: { customerId, lines: [line], paymentToken: "visa" } }],
    };
    const input = { customerId, lines: [{ productId, quantity: 2 }] };
    const { id } = await execute(test.command, careless, { input }, anybody);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reason: "total-too-large",
      reserved_pieces: 0,
      payment: null,
    });
  });

  it("records no refund beyond the payment: the event fails until the gateway's books are right", async () => {
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2);
    await drain(relayOf(), 10_000);
    await cancel(test, id);
    const books = sampleGateway(test.command);
    let amountCents = 9_801;
    const gateway: PaymentGateway = { ...books, refund: () => Promise.resolve({ amountCents }) };
    const relay = relayOf([toHandler(test.command, fulfilment), collectPayments(test.command, gateway)]);
    await drain(relay, 10_000);
    expect(await statusOf(id)).toMatchObject({ payment: "refunding", refunded_cents: null });
    expect(await listLanes(test)).toMatchObject([{
      stream: `payment-${id}`,
      last_error: expect.stringContaining("9801 cents: refund-exceeds-payment"),
    }]);

    amountCents = 9_800;
    await drainWhatIsDue(test, relay);
    expect(await statusOf(id)).toMatchObject({ payment: "refunded", refunded_cents: 9_800 });
  });

  it("cancels the order when the payment is declined", async () => {
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2, "declined-card");
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reason: "payment-declined",
      reserved_pieces: 0,
      payment: "declined",
    });
  });

  it("cancels the order when the gateway does not answer in time, and takes back what it took in silence", async () => {
    const books = sampleGateway(test.command);
    const gateway: PaymentGateway = {
      ...books,
      async take(payment, signal) {
        await books.take(payment, signal);
        return await new Promise(() => {});
      },
    };
    const payments = { ...collectPayments(test.command, gateway), timeoutMs: 1_000 };
    const relay = relayOf([toHandler(test.command, fulfilment), payments]);
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2);
    await drain(relay, 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "placed", reserved_pieces: 2, payment: "requested" });

    expect(await takenFor(test, [id])).toBe(9_800);
    await passTimeLimit(test);
    await until("it is refunded", async () => {
      await drainWhatIsDue(test, relay);
      return (await statusOf(id)).payment === "refunded";
    });
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reason: "payment-timed-out",
      reserved_pieces: 0,
      payment: "refunded",
      refunded_cents: 9_800,
    });
    expect(await takenFor(test, [id])).toBe(0);
  });

  it("cancels the order when the gateway could not be asked in time, and does not ask any more", async () => {
    const books = sampleGateway(test.command);
    let calls = 0;
    const gateway: PaymentGateway = {
      ...books,
      take(...given) {
        calls++;
        return books.take(...given);
      },
    };
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2);
    await drain(relayOf([toHandler(test.command, fulfilment)]), 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "placed", payment: "requested" });
    await timeOutPayments(test.command, 60_000).fire();
    expect(await statusOf(id)).toMatchObject({ status: "placed", payment: "requested" });
    await timeOutPayments(test.command, 0).fire();
    await drain(
      relayOf([toHandler(test.command, fulfilment), collectPayments(test.command, gateway)]),
      10_000,
    );
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reason: "payment-not-asked",
      reserved_pieces: 0,
      payment: "not asked",
    });
    expect(calls).toBe(0);
  });

  it("gives the gateway its minute from the moment it is asked, however long the order has waited", async () => {
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2, "hangs");
    await drain(relayOf([toHandler(test.command, fulfilment)]), 10_000);
    await sql`update write.payments set requested_at = now() - interval '10 minutes' where order_id = ${id}`
      .execute(test.owner);
    const payments = { ...collectPayments(test.command, sampleGateway(test.command)), timeoutMs: 1_000 };
    await drain(relayOf([payments]), 10_000);
    await timeOutPayments(test.command).fire();
    expect(await statusOf(id)).toMatchObject({ status: "placed", payment: "requested" });
    await passTimeLimit(test);
    await timeOutPayments(test.command).fire();
    await drain(relayOf([toHandler(test.command, fulfilment)]), 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "cancelled", reason: "payment-timed-out" });
  });

  it("takes back a payment that a late relay asks for, when the cancelled order was forgotten already", async () => {
    const id = await place(await aProduct(test.command), 2);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "cancelled", payment: null });

    const input = { amountCents: 9_800, token: null };
    await execute(test.command, requestPayment, { id, input }, anybody);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({ status: "cancelled", payment: "refunded" });
    expect(await takenFor(test, [id])).toBe(0);
  });

  it("gives the money back when the order is cancelled after it was confirmed", async () => {
    const id = await place(await aProduct(test.command, { pieces: 5 }), 2);
    await drain(relayOf(), 10_000);
    await cancel(test, id);
    await drain(relayOf(), 10_000);
    expect(await statusOf(id)).toMatchObject({
      status: "cancelled",
      reserved_pieces: 0,
      payment: "refunded",
    });
    expect(await takenFor(test, [id])).toBe(0);
  });

  it("changes nothing when every event is told three times", async () => {
    const productId = await aProduct(test.command, { pieces: 3 });
    const thrice = [
      toHandler(test.command, fulfilment),
      collectPayments(test.command, sampleGateway(test.command)),
    ]
      .map((handler) => repeating(handler, 3));
    const ids = [
      await place(productId, 2),
      await place(productId, 2),
      await place(productId, 1, "declined-card"),
    ];
    await cancel(test, await place(productId, 1));
    await drain(relayOf(thrice), 10_000);
    await drainWhatIsDue(test, relayOf(thrice));

    expect((await Promise.all(ids.map(statusOf))).map(({ status }) => status).toSorted())
      .toEqual(["cancelled", "cancelled", "confirmed"]);
    const { rows } = await sql<{ most: number }>`
      select max(count) as most from (
        select count(*) from write.events where stream like any (array['payment-%', 'stock-%', 'order-%'])
        group by metadata ->> 'causationId', type, stream having metadata ->> 'causationId' is not null
      ) as caused`.execute(test.owner);
    expect(rows).toEqual([{ most: 1 }]);
  });
});
