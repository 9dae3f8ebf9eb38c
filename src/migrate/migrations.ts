/** The SQL files of `migrations/`. */
export interface Migrations {
  /** The text of every numbered migration by name, for example `0002_events`. */
  numbered: Record<string, string>;
  /** The text of `roles.sql`, applied by every migrate after the numbered migrations. */
  roles: string;
}

export interface MigrateOptions {
  /** Prints a line about the progress. */
  report?: (line: string) => void;
  /** Returns PostgreSQL's warnings since the call before. */
  takeWarnings?: () => Warning[];
  /** The tries to get the locks on tables. */
  tries?: number;
}

/** A warning of PostgreSQL, from the connection of a migration. */
export interface Warning {
  code: string;
  message: string;
}
