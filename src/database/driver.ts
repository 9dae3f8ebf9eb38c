import postgres from "postgres";
import { poolerOf, toDriverUrl } from "./pooler.ts";
import { SESSION_SETTINGS } from "./session-settings.ts";

type Options = postgres.Options<Record<string, postgres.PostgresType>>;

/** Opens the driver for a URL. Connections are made on demand, with the settings of every session. */
export function openDriver(url: string, { connection, ...options }: Options): postgres.Sql {
  // Set on direct connections only. A pooler refuses settings at the start, and would lose a later `set`
  // between two transactions: behind a pooler, the login's own settings count.
  const settings = poolerOf(url) === "none" ? { ...SESSION_SETTINGS, ...connection } : {};
  const { application_name = "cqrs" } = connection ?? {};
  return postgres(toDriverUrl(url), {
    // Saves a round trip on every new connection. The driver needs the types only to read and write arrays.
    fetch_types: false,
    onnotice: () => {},
    ...options,
    connection: { ...settings, application_name },
  }) as unknown as postgres.Sql;
}
