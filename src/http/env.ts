import type { Database } from "../database/database.ts";
import type { Replica } from "../read/replica.ts";
import type { Relay } from "../relay/drain.ts";

/** What a request works with. Where connections cannot be kept from one request to the next, each brings its own. */
export interface Resources {
  databases: { commands: Database; queries: Database };
  /** Asked instead of `databases.queries` where an answer need not be exact. */
  replica?: Replica | undefined;
  relay: Relay;
  /** The secret that the operator has to present; without it nobody is the operator. */
  opsToken?: string | undefined;
}

/** The context of every route. */
export interface Env {
  Bindings: Resources;
  Variables: {
    /** Also the correlation id of the events that the request leads to. */
    requestId: string;
    /** The sender of the request. */
    caller: string;
  };
}
