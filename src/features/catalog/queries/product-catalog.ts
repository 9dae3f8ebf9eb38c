import { type RawBuilder, sql, type SqlBool } from "kysely";
import * as z from "zod/mini";
import type { Database } from "../../../database/database.ts";
import { ask, type Consistency } from "../../../read/ask.ts";
import { exact, exactNumber } from "../../../read/exact.ts";
import { itself, type ReadModel } from "../../../read/read-model.ts";
import type { StockEvent } from "../../inventory/events.ts";
import type { ProductEvent } from "../events.ts";

/**
 * A product, and the pieces available: a stock has the id of the product.
 * @see migrations/0107_product_catalog.sql
 */
export const productCatalog = {
  name: "product_catalog",
  refresh: "changed keys",
  staleKeys: {
    ProductAdded: itself,
    PriceChanged: itself,
    StockReceived: itself,
    StockReserved: itself,
    StockReleased: itself,
  },
} as const satisfies ReadModel<(ProductEvent | StockEvent)["type"]>;

export const productView = z.object({
  id: z.uuid(),
  name: z.string(),
  priceCents: exactNumber,
  available: exactNumber,
  version: z.int(),
});

export interface ProductFilter {
  /** A part of the name, in any case; the beginning, where the index of parts would not help. */
  search?: string | undefined;
  limit: number;
  /** The page begins after the product with this `name` and `id`. */
  after?: [string, string] | undefined;
}

/** Asks for a product: a single row, or none. */
export function findProduct(db: Database, id: string, consistency: Consistency) {
  return ask(db, productCatalog, consistency, (from) => selectProduct(db, from).where("product_id", "=", id));
}

/** Asks for products by name: at most `limit + 1`, for `toPage`. */
export function listProducts(
  db: Database,
  { search, limit, after }: ProductFilter,
  consistency: Consistency,
) {
  return ask(db, productCatalog, consistency, (from) =>
    selectProduct(db, from)
      .$if(search !== undefined, (qb) => qb.where(isFound(search!)))
      .$if(after !== undefined, (qb) =>
        qb.where((eb) => eb(eb.refTuple("name", "product_id"), ">", eb.tuple(after![0], after![1]))))
      .orderBy("name").orderBy("product_id").limit(limit + 1));
}

/**
 * A text that the index of trigrams helps to find: three letters or digits in a row, or the beginning of a word. Without
 * the index, a search would read every product.
 */
const INDEXED = /[\p{L}\p{N}]{3}|.[^\p{L}\p{N}][\p{L}\p{N}]/u;

function isFound(search: string): RawBuilder<SqlBool> {
  const pattern = search.replace(/[\\%_]/g, "\\$&");
  return INDEXED.test(search)
    ? sql`${NAME} ilike ${`%${pattern}%`}`
    : sql`lower(${NAME}) like lower(${`${pattern}%`} collate "und-x-icu")`;
}

/** The name with the collation of the index: the locale of the database may know the case of ASCII only. */
const NAME = sql<string>`name collate "und-x-icu"`;

function selectProduct(db: Database, from: "read.product_catalog") {
  return db.selectFrom(from).select([
    "product_id as id",
    "name",
    exact("price_cents").as("priceCents"),
    exact("available").as("available"),
    "version",
  ]);
}

declare module "../../../database/database.ts" {
  interface Tables {
    "read.product_catalog": {
      product_id: string;
      name: string;
      price_cents: number;
      available: number;
      version: number;
    };
  }
}
