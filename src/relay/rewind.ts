import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/** A checkpoint that was set back. */
export interface Rewound {
  subscription: string;
  /** The position it stood at. */
  from: number;
  /** The end of the log. */
  to: number;
}

/**
 * Sets the checkpoints that are beyond the log back to its end and, if there are any, recomputes every read model, all
 * in one transaction. For a database that is an older copy than its checkpoints; no relay goes on before.
 * @see migrations/0005_read_models.sql
 */
export async function rewind(db: Database): Promise<Rewound[]> {
  const { rows } = await sql<Rewound>`
    select subscription, was_at as "from", ends_at as "to" from relay.rewind() order by subscription`.execute(
    db,
  );
  return rows;
}
