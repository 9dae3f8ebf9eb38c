import { expect } from "vitest";
import { CommandRejected } from "../../src/errors.ts";
import type { Command } from "../../src/write/command.ts";
import type { Event } from "../../src/write/event.ts";

/** Given the events that have happened, when a command comes, then these events follow, or it is rejected. */
export function given(...history: Event[]) {
  return {
    when<Input, State, E extends Event>({ aggregate, decide }: Command<Input, State, E>, input: Input) {
      const state = (history as E[]).reduce<State>(aggregate.evolve, aggregate.initial);
      return outcomeOf(() => decide(input, { ...state, version: history.length }));
    },
  };
}

/** For commands that begin a stream: given what the rest of the system says. */
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
