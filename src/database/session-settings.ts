/**
 * The settings of every session of the program, whatever the database or the login says: the parts of the
 * program rely on the values. A direct connection sends the settings at its start. A pooler would refuse or
 * forget the settings: `npm run migrate` gives the same settings to the logins.
 * @see docs/decisions/0018-session-settings.md
 */
export const SESSION_SETTINGS = {
  // The driver reads dates, bytes and floats in these formats only.
  DateStyle: "ISO, MDY",
  bytea_output: "hex",
  extra_float_digits: "1",
  IntervalStyle: "postgres",
  TimeZone: "UTC",
  // A statement sees what others have committed by its begin. Numbering waits for ever in a stricter level.
  default_transaction_isolation: "read committed",
  // Names without a schema are found in these schemas only: platforms keep extensions in the second.
  search_path: "public, extensions",
  // Values in texts are written for these.
  standard_conforming_strings: "on",
  array_nulls: "on",
  // A connection is kept although unused, and after an error.
  idle_session_timeout: "0",
  exit_on_error: "off",
  // A search finds everything, and warnings arrive.
  gin_fuzzy_search_limit: "0",
  client_min_messages: "notice",
} as const;
