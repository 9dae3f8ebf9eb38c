import type { Database } from "../../database/database.ts";
import { CommandRejected, NotFound } from "../../errors.ts";
import type { Command } from "../../write/command.ts";
import type { Event, RecordedEvent } from "../../write/event.ts";
import { execute } from "../../write/execute.ts";
import type { Handler } from "./handler.ts";

/** Carries work through several steps: it answers events with commands. */
export interface ProcessManager<E extends Event> {
  /** The name of its checkpoint. */
  name: string;
  /** What follows from an event, by its type. It may run again for the same event: so it does nothing but send. */
  reactions: {
    [Type in E["type"]]?: (event: RecordedEvent<E & { type: Type }>, send: Send) => Promise<void>;
  };
}

/**
 * Carries out a command in answer to an event: in effect once, however often the event is told. Answers the code of the
 * rejection when the business says no or there is no such aggregate, and undefined when it is done.
 */
export type Send = <Input, State, E extends Event, Loaded>(
  command: Command<Input, State, E, Loaded>,
  given: { id: string; input: Input },
) => Promise<string | undefined>;

/** The handler of a process manager. */
export function toHandler<E extends Event>(
  command: Database,
  { name, reactions }: ProcessManager<E>,
): Handler {
  // By the type of the event, which TypeScript cannot follow.
  const all = reactions as unknown as Record<string, (event: RecordedEvent, send: Send) => Promise<void>>;
  return {
    name,
    kind: "process manager",
    concerns: ({ type }) => Object.hasOwn(all, type),
    handle: (event) => all[event.type]!(event, answering(command, name, event)),
  };
}

/**
 * Sends commands as `name`, in answer to an event. Their idempotency key is made from the event, so the same event
 * leads to the same command only once.
 */
export function answering(
  db: Database,
  name: string,
  { id, metadata }: Pick<RecordedEvent, "id" | "metadata">,
): Send {
  return async (command, given) => {
    try {
      await execute(db, command, given, {
        caller: name,
        correlationId: metadata.correlationId,
        causationId: id,
        idempotencyKey: `${id} ${given.id}`,
      });
      return undefined;
    } catch (error) {
      if (error instanceof CommandRejected || error instanceof NotFound) return error.code;
      throw error;
    }
  };
}
