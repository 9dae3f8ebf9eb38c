import type * as z from "zod/mini";
import type { DatabaseUrls, Settings } from "./config.ts";
import type { Database } from "./database/database.ts";
import type { Replica } from "./read/replica.ts";
import type { Handler } from "./relay/handlers/handler.ts";
import type { Limits, Pool, Surroundings } from "./surroundings.ts";

/**
 * An optional part of the program: a folder, with a line in `src/rooms.ts`.
 * @see docs/decisions/0017-rooms.md
 */
export interface Room<Own extends object = object> {
  /** The room's own settings, read from the environment along with all others. */
  settings: z.ZodMiniType<Own>;
  /** Opens the room, when the program is put together. No connection is made yet. */
  open(settings: Settings & Own, house: House): Additions;
}

/** The parts of the program at a room's disposal. */
export interface House extends Pick<Surroundings, "createPost"> {
  urls: DatabaseUrls;
  databases: { queries: Database; relay: Database };
  /** Opens another pool, closed with the program, with the limits of a pool or the given limits. */
  openPool(pool: Pool, url: string, limits?: Limits): Database;
}

/** The additions of a room to the program. */
export interface Additions {
  /** Told of every event. */
  handlers?: Handler[];
  /** Runs before the relay, on a migrated database, every time: must do no harm when repeated. */
  begin?(): Promise<void>;
  /** Asked for answers that need not be exact. */
  replica?: Replica;
}
