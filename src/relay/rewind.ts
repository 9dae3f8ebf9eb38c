import { sql } from "kysely";
import type { Database } from "../database/database.ts";

/** A checkpoint set back to the end of the log. */
export interface Rewound {
  subscription: string;
  /** The former position. */
  from: number;
  /** The end of the log. */
  to: number;
}

/**
 * Sets the checkpoints beyond the log back to the end of the log. If any is beyond, recomputes every read
 * model, in the same transaction. For a restored older copy of the database; no relay goes on before.
 * @see migrations/0011_rewind.sql
 */
export async function rewind(db: Database): Promise<Rewound[]> {
  const { rows } = await sql<Rewound>`
    select subscription, was_at as "from", ends_at as "to" from relay.rewind() order by subscription`.execute(
    db,
  );
  return rows;
}
