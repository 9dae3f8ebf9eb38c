import * as z from "zod/mini";
import type { Database } from "../../database/database.ts";
import { isDatabaseError, NotFound, StillInUse, VersionMismatch } from "../../errors.ts";
import { text } from "../../shapes.ts";

/**
 * The input of customers: plain create, read, update and delete, on purpose. Nobody asks for the history of
 * an address, nothing else in the shop reacts to a change, and reading has the shape of writing. Events, a
 * read model and a consistency token would cost something and serve nobody. Parts of this kind stay plain.
 */
export const customerInput = z.strictObject({ name: text(200), email: z.email().check(z.maxLength(320)) });

export type CustomerInput = z.infer<typeof customerInput>;

export interface Customer extends CustomerInput {
  id: string;
  /** Begins at 1; every change adds 1. */
  version: number;
}

/** Returns a customer. @throws {NotFound} If the customer does not exist. */
export async function findCustomer(db: Database, id: string): Promise<Customer> {
  const customer = await db.selectFrom("write.customers").select(["id", "name", "email", "version"])
    .where("id", "=", id).executeTakeFirst();
  if (!customer) throw new NotFound(`Cannot find customer ${id}`);
  return customer;
}

/** The state required for a change: a version, any version, or none: there is no such customer yet. */
type Required = number | "any" | "none" | undefined;

/**
 * Creates or replaces a customer, and returns the new version.
 * @throws {VersionMismatch} If the customer is not in the required state: read the customer again.
 */
export async function putCustomer(
  db: Database,
  id: string,
  input: CustomerInput,
  required?: Required,
): Promise<{ id: string; version: number }> {
  const replaces = required !== undefined && required !== "none";
  const put = await (replaces ? replace(db, id, input, required) : insert(db, id, input, required));
  if (!put) throw new VersionMismatch(`Cannot put customer ${id}: ${reasonOf(required)}`);
  return put;
}

function replace(db: Database, id: string, { name, email }: CustomerInput, required: number | "any") {
  return db.updateTable("write.customers").set((eb) => ({ name, email, version: eb("version", "+", 1) }))
    .where("id", "=", id).$if(required !== "any", (qb) => qb.where("version", "=", Number(required)))
    .returning(["id", "version"]).executeTakeFirst();
}

function insert(db: Database, id: string, { name, email }: CustomerInput, required?: "none") {
  return db.insertInto("write.customers").values({ id, name, email, version: 1 }).onConflict((conflict) => {
    const same = conflict.column("id");
    if (required === "none") return same.doNothing();
    return same.doUpdateSet((eb) => ({ name, email, version: eb("write.customers.version", "+", 1) }));
  }).returning(["id", "version"]).executeTakeFirst();
}

/**
 * Deletes a customer.
 * @throws {NotFound} If the customer does not exist.
 * @throws {VersionMismatch} If the customer is not in the required state: read the customer again.
 * @throws {StillInUse} If the customer has orders.
 */
export async function deleteCustomer(db: Database, id: string, required?: Required): Promise<void> {
  try {
    const [result] = await db.deleteFrom("write.customers").where("id", "=", id)
      .$if(typeof required === "number", (qb) => qb.where("version", "=", Number(required)))
      .$if(required === "none", (qb) => qb.where((eb) => eb.lit(false))).execute();
    if (result?.numDeletedRows !== 0n) return;
    await findCustomer(db, id);
    throw new VersionMismatch(`Cannot delete customer ${id}: ${reasonOf(required)}`);
  } catch (error) {
    if (!isDatabaseError(error) || error.constraint_name !== "orders_customer_id_fkey") throw error;
    throw new StillInUse("customer-has-orders", `Cannot delete customer ${id}: there are orders`, {
      cause: error,
    });
  }
}

function reasonOf(required: Required): string {
  if (typeof required === "number") return `it is not at version ${required}`;
  return required === "none" ? "it exists" : "it does not exist";
}

declare module "../../database/database.ts" {
  interface Tables {
    "write.customers": { id: string; name: string; email: string; version: number };
  }
}
