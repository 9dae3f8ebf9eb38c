import * as fc from "fast-check";
import { expect } from "vitest";
import { CommandRejected } from "../../src/errors.ts";
import type { Aggregate } from "../../src/write/aggregate.ts";
import type { Command } from "../../src/write/command.ts";
import { type Event, streamOf } from "../../src/write/event.ts";
import { execute } from "../../src/write/execute.ts";
import { anybody } from "./context.ts";
import type { TestDatabase } from "./database.ts";

/** Carries out a command on the aggregate with the given id. */
export type Step = (test: TestDatabase, id: string) => Promise<unknown>;

/** Returns steps of a command with any of the inputs. */
export function step<Input, State, E extends Event, Loaded>(
  command: Command<Input, State, E, Loaded>,
  input: fc.Arbitrary<Input>,
): fc.Arbitrary<Step> {
  return input.map((input) =>
    Object.assign(
      (test: TestDatabase, id: string) => execute(test.command, command, { id, input }, anybody),
      {
        // Printed by fast-check for a failing sequence.
        [fc.toStringMethod]: () => `${command.name} ${JSON.stringify(input)}`,
      },
    )
  );
}

/** Carries out the steps on a new aggregate, and expects the same story of the tables and the log. */
export async function expectOneStory<State, E extends Event>(
  test: TestDatabase,
  aggregate: Aggregate<State, E>,
  steps: Step[],
): Promise<void> {
  const id = crypto.randomUUID();
  for (const step of steps) {
    await step(test, id).catch((error) => {
      if (!(error instanceof CommandRejected)) throw error;
    });
  }
  const events = await test.command.selectFrom("write.events").select(["version", "type", "data"])
    .where("stream", "=", streamOf(aggregate.category, id)).orderBy("version").execute();
  const folded = (events as unknown as E[]).reduce<State>(aggregate.evolve, aggregate.initial);
  const loaded = await aggregate.load(test.command, id).executeTakeFirst();

  expect(loaded).toEqual({ ...folded, version: events.length });
  expect(events.map(({ version }) => version)).toEqual(events.map((_, index) => index + 1));
}
