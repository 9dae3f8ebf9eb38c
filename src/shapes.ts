import * as z from "zod/mini";

/** Shapes that several inputs share. Their bounds keep the total of an order within what a number holds exactly. */

/** Text of 1 to `lengthMax` characters, without blanks around it. */
export const text = (lengthMax: number) => z.string().check(z.trim(), z.minLength(1), z.maxLength(lengthMax));

/** Whether PostgreSQL can store it: no NUL, no lone surrogates. */
export const isStorable = (text: string) => !text.includes("\0") && text.isWellFormed();

/** Text as it was stored, such as where a page ended. */
export const storedText = z.string().check(z.refine(isStorable, "Not valid Unicode text"));

/** PostgreSQL has no year 0. */
const hasYear = z.refine<string>((text) => !text.startsWith("0000"), "There is no year 0");

export const day = z.iso.date().check(hasYear);
export const time = z.iso.datetime().check(hasYear);

/** An amount of money, in cents: 0 to a million. */
export const cents = z.int().check(z.minimum(0), z.maximum(100_000_000));

/** How many pieces: 1 to 100,000. */
export const pieces = z.int().check(z.minimum(1), z.maximum(100_000));

/** An id, in lower case. */
export const id = z.uuid().check(z.toLowerCase());

/** The path of something that has an id. */
export const byId = z.strictObject({ id });
