import { expect } from "vitest";
import { CommandRejected } from "../../src/errors.ts";
import type { Command } from "../../src/write/command.ts";
import type { Event } from "../../src/write/event.ts";

/** Tests a command after past events: new events follow (`then`), or a rejection (`thenRejected`). */
export function given(...history: Event[]) {
  return {
    when<Input, State, E extends Event>({ aggregate, decide }: Command<Input, State, E>, input: Input) {
      const state = (history as E[]).reduce<State>(aggregate.evolve, aggregate.initial);
      return outcomeOf(() => decide(input, { ...state, version: history.length }));
    },
  };
}

/** Tests a command that begins a stream, with the data loaded from other parts of the system. */
export function knowing<Loaded>(loaded: Loaded) {
  return {
    when<Input, State, E extends Event>({ decide }: Command<Input, State, E, Loaded>, input: Input) {
      return outcomeOf(() => decide(input, loaded));
    },
  };
}

function outcomeOf<E extends Event>(decide: () => E[]) {
  return {
    then: (...events: E[]) => expect(decide()).toEqual(events),
    thenRejected(code: string) {
      expect(decide).toThrow(CommandRejected);
      expect(decide).toThrow(expect.objectContaining({ code }));
    },
  };
}
