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

/**
 * Creates or replaces a customer, and returns the new version.
 * @throws {VersionMismatch} If the customer is not at version `ifMatch`: read the customer again.
 */
export async function putCustomer(
  db: Database,
  id: string,
  { name, email }: CustomerInput,
  ifMatch?: number,
): Promise<{ id: string; version: number }> {
  if (ifMatch !== undefined) {
    const changed = await db.updateTable("write.customers")
      .set((eb) => ({ name, email, version: eb("version", "+", 1) }))
      .where("id", "=", id).where("version", "=", ifMatch).returning(["id", "version"]).executeTakeFirst();
    if (!changed) throw new VersionMismatch(`Cannot change customer ${id}: it is not at version ${ifMatch}`);
    return changed;
  }
  return await db.insertInto("write.customers").values({ id, name, email, version: 1 })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((eb) => ({
        name,
        email,
        version: eb("write.customers.version", "+", 1),
      }))
    )
    .returning(["id", "version"]).executeTakeFirstOrThrow();
}

/**
 * Deletes a customer.
 * @throws {NotFound} If the customer does not exist.
 * @throws {VersionMismatch} If the customer is not at version `ifMatch`: read the customer again.
 * @throws {StillInUse} If the customer has orders.
 */
export async function deleteCustomer(db: Database, id: string, ifMatch?: number): Promise<void> {
  try {
    const [result] = await db.deleteFrom("write.customers").where("id", "=", id)
      .$if(ifMatch !== undefined, (qb) => qb.where("version", "=", ifMatch!)).execute();
    if (result?.numDeletedRows !== 0n) return;
    await findCustomer(db, id);
    throw new VersionMismatch(`Cannot delete customer ${id}: it is not at version ${ifMatch}`);
  } catch (error) {
    if (!isDatabaseError(error) || error.constraint_name !== "orders_customer_id_fkey") throw error;
    throw new StillInUse("customer-has-orders", `Cannot delete customer ${id}: there are orders`, {
      cause: error,
    });
  }
}

declare module "../../database/database.ts" {
  interface Tables {
    "write.customers": { id: string; name: string; email: string; version: number };
  }
}
