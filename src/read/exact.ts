import { type RawBuilder, sql } from "kysely";
import * as z from "zod/mini";

/** A whole number of any size, as `exact` returns it. */
export const exactNumber = z.union([z.int(), z.string().check(z.regex(/^-?\d{16,}$/))]).check(
  z.meta({ description: "A number up to 9007199254740991, which JavaScript can hold; beyond, decimal text" }),
);

/**
 * Returns a column of whole numbers as JSON without rounding: a number up to 2^53 - 1, which JavaScript can
 * hold, and beyond decimal text. Null stays null.
 */
export function exact(column: string): RawBuilder<number | string> {
  const [value, limit] = [sql.ref(column), sql.lit(Number.MAX_SAFE_INTEGER)];
  return sql`case when ${value} between -${limit} and ${limit} then to_json(${value}) else to_json(${value}::text) end`;
}
