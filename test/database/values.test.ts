import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase();

const ANY = expect.anything();
const ID = "01990000-0000-7000-8000-000000000001";
const DOCUMENT = { note: 'says "so"\\', lines: [1, null], total: 4.5 };
const DOCUMENT_TEXT = '{"note": "says \\"so\\"\\\\", "lines": [1, null], "total": 4.5}';
const NOON = "2026-11-21T12:00:00.123Z";

/** Title, value sent, SQL type, text on the server, value read back by the program. */
const VALUES = [
  ["a number", 4_900, "integer", "4900", 4_900],
  ["a fraction", -0.25, "numeric", "-0.25", "-0.25"],
  ["a large number", 2 ** 53 - 1, "bigint", "9007199254740991", 2 ** 53 - 1],
  ["a bigint", 2n ** 53n - 1n, "bigint", "9007199254740991", 2 ** 53 - 1],
  ["a bigint beyond 2^53", 2n ** 53n + 1n, "numeric", "9007199254740993", "9007199254740993"],
  ["true", true, "boolean", "true", true],
  ["false", false, "boolean", "false", false],
  ["true as text", "true", "boolean", "true", true],
  ["a date", new Date(NOON), "timestamptz", "2026-11-21 12:00:00.123+00", new Date(NOON)],
  [
    "a time as text",
    "2026-11-21T12:00:00.123456Z",
    "timestamptz",
    "2026-11-21 12:00:00.123456+00",
    new Date(NOON),
  ],
  ["infinity", "-infinity", "timestamptz", "-infinity", ANY],
  ["a day", "2026-11-21", "date", "2026-11-21", new Date("2026-11-21")],
  ["null", null, "integer", null, null],
  ["null as jsonb", null, "text::jsonb", null, null],
  ["text", 'O\'Hara "quotes" \\ ☃', "text", 'O\'Hara "quotes" \\ ☃', ANY],
  ["an id", ID, "uuid", ID, ID],
  ["an array", ["a", 'b"\\,', null, ""], "text[]", '{a,"b\\"\\\\,",NULL,""}', ANY],
  ["an empty array", [], "uuid[]", "{}", ANY],
  ["an array of numbers", [1, 2], "bigint[]", "{1,2}", ANY],
  ["jsonb as text", JSON.stringify(DOCUMENT), "text::jsonb", DOCUMENT_TEXT, DOCUMENT],
  ["text for jsonb", JSON.stringify(DOCUMENT), "jsonb", DOCUMENT_TEXT, DOCUMENT],
  ["an object", DOCUMENT, "jsonb", DOCUMENT_TEXT, DOCUMENT],
  ["bytes", new Uint8Array([0, 255, 16]), "bytea", "\\x00ff10", ANY],
] as const;

describe.each([true, false])("a statement, with prepare %s,", (prepare) => {
  it.each(VALUES)("sends %s the same way every time", async (_, value, type, text, back) => {
    const db = test.open(test.urls.owner, { max: 1, prepare });
    const cast = sql.raw(type);
    const echo = () => sql`select ${value}::${cast} as back, (${value}::${cast})::text as text`.execute(db);
    for (const _time of ["first", "second", "third"]) {
      expect((await echo()).rows).toEqual([{ back, text }]);
    }
  });

  it("sends values in a transaction the same way", async () => {
    const db = test.open(test.urls.owner, { max: 1, prepare });
    const all = sql.join(VALUES.map(([, value, type]) => sql`(${value}::${sql.raw(type)})::text`));
    const rows = await db.transaction().execute(async (trx) => [
      await sql`select array[${all}] as texts`.execute(trx),
      await sql`select array[${all}] as texts`.execute(trx),
    ]);
    expect(rows[0]).toEqual(rows[1]);
  });

  it("is refused with a value that cannot be written, and the connection stays of use", async () => {
    const db = test.open(test.urls.owner, { max: 1, prepare });
    await expect(sql`select ${new Date(NaN)}::timestamptz`.execute(db)).rejects.toThrow("Invalid time value");
    expect((await sql`select ${1}::integer as one`.execute(db)).rows).toEqual([{ one: 1 }]);
  });
});
