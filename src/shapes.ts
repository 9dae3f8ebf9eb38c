import * as z from "zod/mini";

/** Shapes shared by several inputs. The bounds keep the total of an order a safe integer of JavaScript. */

/** Text of 1 to `lengthMax` characters, without blanks at the ends. */
export const text = (lengthMax: number) => z.string().check(z.trim(), z.minLength(1), z.maxLength(lengthMax));

/** Returns true if PostgreSQL can store the text: no NUL, no lone surrogates. */
export const isStorable = (text: string) => !text.includes("\0") && text.isWellFormed();

/** Text exactly as stored, for example the key at the end of a page. */
export const storedText = z.string().check(z.refine(isStorable, "Not valid Unicode text"));

/** PostgreSQL has no year 0. */
const hasYear = z.refine<string>((text) => !text.startsWith("0000"), "There is no year 0");

export const day = z.iso.date().check(hasYear);
export const time = z.iso.datetime().check(hasYear);

/** An amount of money, in cents: 0 to a million. */
export const cents = z.int().check(z.minimum(0), z.maximum(100_000_000));

/** A number of pieces: 1 to 100,000. */
export const pieces = z.int().check(z.minimum(1), z.maximum(100_000));

/** An id, in lower case. */
export const id = z.uuid().check(z.toLowerCase());

/** The path of a resource with an id. */
export const byId = z.strictObject({ id });
