import { describe, expect, it } from "vitest";
import { receiveStock } from "../../src/features/inventory/commands/receive-stock.ts";
import { reserveStock } from "../../src/features/inventory/commands/reserve-stock.ts";
import { drain } from "../../src/relay/drain.ts";
import { type ProcessManager, toHandler } from "../../src/relay/handlers/process-manager.ts";
import { aProduct } from "../support/arrange.ts";
import { useTestDatabase } from "../support/database.ts";
import { repeating } from "../support/fulfilment.ts";
import { addHandler, append } from "../support/handlers.ts";

const test = useTestDatabase();

type Tested = { type: "Tested"; data: Record<string, never> };

async function relayOf(name: string, Tested: NonNullable<ProcessManager<Tested>["reactions"]["Tested"]>) {
  const { handle, ...handler } = repeating(
    toHandler<Tested>(test.command, { name, reactions: { Tested } }),
    3,
  );
  return (await addHandler(test, handle, handler)).relay;
}

describe("a process manager", () => {
  it("has what it sends take effect once, however often it is told", async () => {
    const [one, other] = [await aProduct(test.command), await aProduct(test.command)];
    const relay = await relayOf("receiving", async (_event, send) => {
      for (const id of [one, other]) await send(receiveStock, { id, input: { quantity: 5 } });
    });
    await append(test, "a");
    await drain(relay, 5_000);
    const stock = await test.command.selectFrom("write.stock").select("available").execute();
    expect(stock).toEqual([{ available: 5 }, { available: 5 }]);
  });

  it("says of what it sends which event it came from", async () => {
    const id = await aProduct(test.command);
    const relay = await relayOf("causing", async (_event, send) => {
      await send(receiveStock, { id, input: { quantity: 5 } });
    });
    await append(test, "b");
    await drain(relay, 5_000);
    const { metadata } = await test.command.selectFrom("write.events").select("metadata")
      .where("stream", "=", `stock-${id}`).executeTakeFirstOrThrow();
    const cause = await test.command.selectFrom("write.events").select("id").where("stream", "=", "test-b")
      .executeTakeFirstOrThrow();
    expect(metadata).toMatchObject({ actor: "causing", causationId: cause.id });
  });

  it("is told when the business says no, or when there is no such aggregate", async () => {
    const answers: (string | undefined)[] = [];
    const id = await aProduct(test.command, { pieces: 1 });
    const [orderId, nowhere] = [crypto.randomUUID(), crypto.randomUUID()];
    const relay = await relayOf("asking", async (_event, send) => {
      answers.push(await send(reserveStock, { id, input: { orderId, quantity: 2 } }));
      answers.push(await send(reserveStock, { id: nowhere, input: { orderId, quantity: 2 } }));
      answers.push(await send(reserveStock, { id, input: { orderId, quantity: 1 } }));
    });
    await append(test, "c");
    await drain(relay, 5_000);
    expect(answers.slice(0, 3)).toEqual(["insufficient-stock", "not-found", undefined]);
  });
});
