import type { Database } from "../database/database.ts";

/** What every handler finds in its context. */
export interface Env {
  Variables: {
    /** Also the correlation id of the events that the request leads to. */
    requestId: string;
    /** Who sends the request. */
    caller: string;
  };
}

/** What the features' routes are made with. */
export interface Databases {
  command: Database;
  query: Database;
}
