import type { Database } from "../database/database.ts";
import type { Replica } from "../read/replica.ts";
import type { Relay } from "../relay/relay.ts";

/** The resources of a request. Where connections cannot outlive a request, each request brings its own. */
export interface Resources {
  databases: { commands: Database; queries: Database };
  /** Asked instead of `databases.queries` for answers that need not be exact. */
  replica?: Replica | undefined;
  relay: Relay;
  /** The operator's secret. Without a secret, nobody is the operator. */
  opsToken?: string | undefined;
}

/** The request as Node's server got it, under the name that Hono's adapter uses. */
interface Received {
  incoming?: { rawHeaders: string[]; socket: { remoteAddress?: string | undefined } };
}

/** The context of every route. */
export interface Env {
  Bindings: Resources & Received;
  Variables: {
    /** The id of the request, and the correlation id of the resulting events. */
    requestId: string;
    /** The sender of the request. */
    caller: string;
  };
}
