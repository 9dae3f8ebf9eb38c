import { Kysely } from "kysely";
import { v7 as uuidv7 } from "uuid";
import type { Tables } from "../src/database/database.ts";
import { postgresDialect } from "../src/database/dialect.ts";
import type { Pool } from "../src/database/pool.ts";
import { addProduct } from "../src/features/catalog/commands/add-product.ts";
import { execute } from "../src/write/execute.ts";

/** The input of the benchmark's command: a single statement, the shortest way through the code. */
export const input = { name: "A lamp, as tall as a man", priceCents: 12_900 };

export interface Statement {
  text: string;
  /** Returns the values for another execution, with new ids. */
  nextParameters(): unknown[];
}

/** Records the statement sent by `execute` for the command: a copy by hand could differ. */
export async function recordStatement(): Promise<Statement> {
  let text = "";
  let recorded: unknown[] = [];
  const run: Pool["run"] = ({ sql, parameters }) => {
    text = sql;
    recorded = [...parameters];
    const rows = Object.assign([{ version: 1 }], { count: 1, command: "SELECT" });
    return Promise.resolve(rows) as unknown as ReturnType<Pool["run"]>;
  };
  const pool = { max: 1, run } as Pool;
  const db = new Kysely<Tables>({ dialect: postgresDialect(pool) });
  const { id, lastEventId } = await execute(db, addProduct, { input }, {
    caller: "anonymous",
    correlationId: uuidv7(),
  });

  return {
    text,
    nextParameters() {
      const [newId, newEventId] = [uuidv7(), uuidv7()];
      return recorded.map((value) =>
        typeof value === "string" ? value.replaceAll(id, newId).replaceAll(lastEventId!, newEventId) : value
      );
    },
  };
}
