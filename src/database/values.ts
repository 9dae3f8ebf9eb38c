/** The types that the driver would write in its own ways. 0: the driver does not know the type yet. */
const WRITTEN_OIDS = {
  unknown: 0,
  bool: 16,
  bytea: 17,
  json: 114,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  jsonb: 3802,
};

/**
 * Writes values for the server and reads answers. A JavaScript value is written by its own type, never by the
 * server's: the driver learns the server's types with a statement's first answer, and would write a later
 * text for a jsonb in another way.
 * @see docs/decisions/0011-one-flight.md
 */
export const valueTypes = {
  ...Object.fromEntries(
    Object.entries(WRITTEN_OIDS).map(([name, oid]) => [
      name,
      // From none: the driver itself reads answers.
      { to: oid, from: [], serialize: toText, parse: String },
    ]),
  ),
  int8: { to: 20, from: [20], serialize: toText, parse: toSafeInteger },
};

function toText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${toHex(value)}`;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Returns PostgreSQL's bigint as a number. */
function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`Cannot hold in a number: ${text}`);
  return number;
}
