import { sql } from "kysely";
import type { Database } from "../database/database.ts";
import { nameOf } from "./names.ts";
import { verifierOf } from "./verifier.ts";

const ROLES = ["command", "query", "relay"];

/**
 * Lets the run-time roles log in with the passwords of their URLs. A URL of another user, or without a
 * password, is left alone. Some poolers want the project after the user's name: `cqrs_query.project`. Where the
 * owner may not set a password, or the server takes none from here, a working login will do.
 *
 * @param mayLogIn Tries a user and a password.
 * @throws {Error} If a role cannot log in: an admin has to set the password.
 * @see migrations/roles.sql
 */
export async function giveRolesTheirPasswords(
  owner: Database,
  urls: string[],
  mayLogIn: (user: string, password: string) => Promise<boolean> = () => Promise.resolve(false),
): Promise<void> {
  const database = await nameOf(owner);
  for (const url of urls.map((text) => new URL(text))) {
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    const role = ROLES.map((role) => `${database}_${role}`)
      .find((role) => user === role || user.startsWith(`${role}.`));
    if (password === "" || role === undefined) continue;
    const verifier = await verifierOf(password);
    await sql`alter role ${sql.id(role)} login password ${sql.lit(verifier)}`.execute(owner)
      .catch(async (error: Error) => {
        if (await mayLogIn(role, password)) return;
        throw new Error(
          `Cannot migrate: the password of the role "${role}" cannot be set (${error.message}); have an admin run ` +
            `alter role "${role}" login, and set the password of its URL, for example with \\password "${role}" in psql; ` +
            `or grant "${role}" to the owner with admin option`,
          { cause: error },
        );
      });
  }
}
