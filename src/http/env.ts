import type { Database } from "../database/database.ts";
import type { Replica } from "../read/replica.ts";
import type { Relay } from "../relay/drain.ts";

/** What a request works with. Where connections cannot be kept from one request to the next, each brings its own. */
export interface Parts {
  databases: { command: Database; query: Database };
  /** Asked instead of `databases.query` where an answer need not be exact. */
  replica?: Replica | undefined;
  relay: Relay;
  /** What the operator has to present; without it nobody may. */
  opsToken?: string | undefined;
}

/** What every handler finds in its context. */
export interface Env {
  Bindings: Parts;
  Variables: {
    /** Also the correlation id of the events that the request leads to. */
    requestId: string;
    /** Who sends the request. */
    caller: string;
  };
}
