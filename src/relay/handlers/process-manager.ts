import type { Database } from "../../database/database.ts";
import { CommandRejected, NotFound } from "../../errors.ts";
import type { Command } from "../../write/command.ts";
import type { Event, RecordedEvent } from "../../write/event.ts";
import { execute } from "../../write/execute.ts";
import type { Handler } from "./handler.ts";

/** Carries work through several steps: reacts to events with commands. */
export interface ProcessManager<E extends Event> {
  /** The name of the checkpoint. */
  name: string;
  /** Reactions by type of event. A reaction may run again for the same event, and therefore only sends. */
  reactions: {
    [Type in E["type"]]?: (event: RecordedEvent<E & { type: Type }>, send: Send) => Promise<void>;
  };
}

/**
 * Carries out a command in reaction to an event: in effect once, however often the event comes. Returns
 * undefined after success, the code of the rejection when the business says no, `not-found` when the
 * aggregate is missing.
 */
export type Send = <Input, State, E extends Event, Loaded>(
  command: Command<Input, State, E, Loaded>,
  given: { id: string; input: Input },
) => Promise<string | undefined>;

/** Returns the handler of a process manager. */
export function toHandler<E extends Event>(
  command: Database,
  { name, reactions }: ProcessManager<E>,
): Handler {
  // Keyed by the type of the event: TypeScript cannot follow the connection.
  const all = reactions as unknown as Record<string, (event: RecordedEvent, send: Send) => Promise<void>>;
  return {
    name,
    kind: "process manager",
    types: Object.keys(all),
    handle: (event) => all[event.type]!(event, answering(command, name, event)),
  };
}

/**
 * Returns the `send` of an event, with `name` as the caller. The idempotency key is made from the ids of
 * event and aggregate: an event leads to the same command only once, even if a newer program would send other input.
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
        firstInputWins: true,
      });
      return undefined;
    } catch (error) {
      if (error instanceof CommandRejected || error instanceof NotFound) return error.code;
      throw error;
    }
  };
}
