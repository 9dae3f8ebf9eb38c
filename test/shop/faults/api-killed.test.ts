import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { execute } from "../../../src/write/execute.ts";
import { aCustomer, aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { hold, untilBlocked } from "../../support/hold.ts";
import { type Program, settingsOf, usePrograms } from "../../support/program.ts";
import { useProxy } from "../../support/proxy.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { ask } from "./support/load.ts";
import { settled, verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const ROUNDS = shortOrLong(2, 20);

interface Sent {
  key: string;
  path: string;
  body: object;
}

describe("an API that is killed after the commit and before the answer", () => {
  const database = useTestDatabase();
  const proxy = useProxy(() => database.urls.command);
  const run = usePrograms();

  it("has done it once, and the repeated request gets the answer that was lost", async () => {
    const random = seededRandom("API killed");
    await installWitness(database.owner);
    const start = () => {
      const settings = {
        ...settingsOf(database.urls),
        COMMAND_DATABASE_URL: proxy.url(database.urls.command),
      };
      return run("start", { preload: [WITH_WITNESS], settings });
    };
    const acknowledged: string[] = [];
    let program = start();
    for (let round = 0; round < ROUNDS; round++) {
      const commands = await someCommands();
      await loseAnswers(program, commands);
      program = start();
      acknowledged.push(...await askAgain(program, commands));
    }

    const verdict = await verify(database.owner, { acknowledged, witness: true });
    await report(
      "API killed between commit and answer",
      verdict,
      random,
      `${acknowledged.length} answers lost`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, FAULT_MS);

  /** Prepares commands for a product, its stock, an order, and the cancellation of another order. */
  async function someCommands(): Promise<Sent[]> {
    const { command } = database;
    const [customerId, productId] = [await aCustomer(command), await aProduct(command, { pieces: 1 })];
    const orderId = await aConfirmedOrder(customerId);
    const bodies: [string, object][] = [
      ["/products", { name: "Desk lamp", priceCents: 4_900 }],
      [`/products/${productId}/stock`, { quantity: 7 }],
      ["/orders", { customerId, lines: [{ productId, quantity: 1 }] }],
      [`/orders/${orderId}/cancel`, { reason: "changed my mind" }],
    ];
    return bodies.map(([path, body]) => ({ path, body, key: `load-${randomUUID()}` }));
  }

  /** Returns the id of a confirmed order: no handler is still at work on the order. */
  async function aConfirmedOrder(customerId: string): Promise<string> {
    const { command } = database;
    const lines = [{ productId: await aProduct(command, { pieces: 1 }), quantity: 1 }];
    const { id } = await execute(command, placeOrder, { input: { customerId, lines } }, anybody);
    await until("it is confirmed", async () => {
      const { status } = await command.selectFrom("write.orders").select("status").where("id", "=", id)
        .executeTakeFirstOrThrow();
      return status === "confirmed";
    });
    return id;
  }

  /** Lets the commands commit, drops the database's replies, and kills the program. */
  async function loseAnswers(program: Program, commands: Sent[]): Promise<void> {
    const url = await program.printed(/Listening on (\S+)/);
    await settled(database.owner);
    const lock = await hold(
      database.owner,
      (trx) => sql`lock table write.events in exclusive mode`.execute(trx),
    );
    const asking = commands.map(({ path, key, body }) => ask(`${url}${path}`, "POST", key, body));
    await untilBlocked(database.owner, commands.length);
    proxy.loseReplies = true;
    await lock.commit();
    await until("all are committed", async () => await countAnswers(commands) === commands.length);
    program.signal("SIGKILL");
    expect((await Promise.all(asking)).map(({ kind }) => kind)).toEqual(commands.map(() => "lost"));
    await program.ended;
    proxy.loseReplies = false;
  }

  /** Sends every command twice and expects equal answers. Returns the ids of the events. */
  async function askAgain(program: Program, commands: Sent[]): Promise<string[]> {
    const url = await program.printed(/Listening on (\S+)/);
    const askAll = () =>
      Promise.all(commands.map(({ path, key, body }) => ask(`${url}${path}`, "POST", key, body)));
    const answers = await askAll();
    expect(answers.map(({ kind }) => kind)).toEqual(["201", "200", "201", "200"]);
    expect(await askAll()).toEqual(answers);
    expect(await countAnswers(commands)).toBe(commands.length);
    return answers.map(({ eventId }) => eventId!);
  }

  async function countAnswers(commands: Sent[]): Promise<number> {
    const { count } = await database.command.selectFrom("write.idempotency_keys")
      .select(({ fn }) => fn.countAll<number>().as("count"))
      .where("key", "in", commands.map(({ key }) => key)).executeTakeFirstOrThrow();
    return count;
  }
});
