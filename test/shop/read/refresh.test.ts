import fc from "fast-check";
import { sql } from "kysely";
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { CommandRejected, NotFound, VersionConflict } from "../../../src/errors.ts";
import { addProduct } from "../../../src/features/catalog/commands/add-product.ts";
import { placeOrder } from "../../../src/features/ordering/commands/place-order.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { execute } from "../../../src/write/execute.ts";
import { type AnyCommand, listCommands, listFeatureFiles } from "../../support/commands.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { type Ids, inputsOf } from "../../support/inputs.ts";
import { listStreams } from "../../support/streams.ts";
import { aCustomer } from "../support/arrange.ts";
import { readModelSubscriptions } from "../support/shop.ts";

const test = useTestDatabase();
const relay = () => createRelay({ db: test.relay, subscriptions: readModelSubscriptions });

const exported = await listCommands(await listFeatureFiles());
const commands = exported.map(({ command }) => command).toSorted((a, b) => a.name < b.name ? -1 : 1);

const eventTypes = listStreams(exported).flatMap((stream) => stream.eventTypes);
const REFUSALS = [CommandRejected, NotFound, VersionConflict];

/** A command by name, or a drain of so many events at once. */
type Step = { command: string; id: string; input: unknown } | { drain: number };

/** Stand for ids: each walk gets ids of its own. */
const [ADA, ...OTHERS] = [1, 2, 3, 4, 5].map((number) => `00000000-0000-4000-8000-00000000000${number}`);
const [PRODUCTS, ORDERS] = [OTHERS.slice(0, 2), OTHERS.slice(2)];
const IDS: Ids = { customer: [ADA!], product: PRODUCTS, stock: PRODUCTS, order: ORDERS, payment: ORDERS };

/** Returns steps of a command, with any input. Without `id`, on any aggregate of the kind. */
function stepsOf(command: AnyCommand, id?: string): fc.Arbitrary<Step> {
  const { category } = command.aggregate;
  const ids = id === undefined ? IDS[category] : [id];
  if (!ids) throw new Error(`Cannot walk with ${command.name}: add ids of a ${category}`);
  return fc.record({
    command: fc.constant(command.name),
    id: fc.constantFrom(...ids),
    input: inputsOf(command, IDS),
  });
}

const creations = [
  ...PRODUCTS.map((id) => stepsOf(addProduct, id)),
  ...ORDERS.map((id) => stepsOf(placeOrder, id)),
];
const anyStep = fc.oneof(
  { weight: 4, arbitrary: fc.oneof(...commands.map((command) => stepsOf(command))) },
  { weight: 1, arbitrary: fc.record({ drain: fc.integer({ min: 1, max: 20 }) }) },
);
const walks = fc.tuple(fc.tuple(...creations), fc.array(anyStep, { minLength: 50, maxLength: 100 }))
  .map((parts) => parts.flat());

/** Gives a walk new ids, so that a walk in search of a shorter counterexample does not meet the walk before. */
function renew(steps: Step[], customerId: string): Step[] {
  const ids = new Map<unknown, string>([
    [ADA, customerId],
    ...OTHERS.map((id) => [id, randomUUID()] as const),
  ]);
  return JSON.parse(JSON.stringify(steps), (_name, value) => ids.get(value) ?? value);
}

/** The rarest event is in four of five rounds. */
const ROUNDS_MAX = 8;
const WALKS = { numRuns: 15, interruptAfterTimeLimit: 30_000 };

describe("every read model", () => {
  it("equals its definition when the relay has nothing left to do, whatever was done", async () => {
    const customerId = await aCustomer(test.command);
    const equal = fc.asyncProperty(walks, async (steps) => {
      for (const step of renew(steps, customerId)) await take(step);
      await sql`update relay.checkpoints set rests_until = '-infinity'`.execute(test.owner);
      await drain(relay(), 10_000);
      for (const { name } of app.readModels) expect([name, await difference(name)]).toEqual([name, []]);
    });
    let untried = await listUntried();
    for (let round = 0; round < ROUNDS_MAX && untried.length > 0; round++) {
      await fc.assert(equal, WALKS);
      untried = await listUntried();
    }
    expect(untried).toEqual([]);
  }, 240_000);
});

const carriedOut = new Set<string>();

async function take(step: Step): Promise<void> {
  if ("drain" in step) return void await drain(relay(), 0, step.drain);
  const { id, input } = step;
  try {
    await execute(test.command, commands.find(({ name }) => name === step.command)!, { id, input }, anybody);
    carriedOut.add(step.command);
  } catch (error) {
    if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
  }
}

/** Returns the commands that no walk has carried out, and the types of events that no walk has led to. */
async function listUntried(): Promise<string[]> {
  const appended = await test.owner.selectFrom("write.events").select("type").distinct().execute();
  const seen = new Set([...carriedOut, ...appended.map(({ type }) => type)]);
  return [...commands.map(({ name }) => name), ...eventTypes].filter((name) => !seen.has(name));
}

/** Returns the rows found in the read model only, or in the definition only. */
async function difference(name: string): Promise<unknown[]> {
  const [model, source] = [sql.table(`read.${name}`), sql.table(`read.${name}_source`)];
  const { rows } = await sql`
    (select * from ${model} except all select * from ${source})
    union all (select * from ${source} except all select * from ${model})`.execute(test.query);
  return rows;
}
