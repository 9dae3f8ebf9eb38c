import { decodeBase64Url, encodeBase64Url } from "hono/utils/encode";
import * as z from "zod/mini";

/** The number of items on a page: 20 when left out, 100 at most. */
export const limit = z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(100)), 20);

/** Returns the schema of `after`: the sort values at the end of the page before, opaque to the client. */
export function after<Key extends z.ZodMiniType>(key: Key) {
  const read = z.transform((text: string, { issues }): z.output<Key> => {
    const parsed = key.safeParse(decode(text));
    if (parsed.success) return parsed.data;
    issues.push({ code: "custom", message: "Not the `next` of a page", input: text });
    return z.NEVER;
  });
  return z.pipe(z.string().check(z.maxLength(4_000)), read);
}

/** Returns the schema of a page: items, and in `next` the `after` of the next page; null on the last page. */
export function pageOf<Item extends z.ZodMiniType>(item: Item) {
  return z.object({ items: z.array(item), next: z.nullable(z.string()) });
}

/** The length of a page in characters of JSON, unless the first item alone is longer. */
const LENGTH_MAX = 500_000;

/**
 * Makes a page of at most `limit` rows, and of a bounded length. Takes a row more than fits: the extra row means a next
 * page.
 */
export function toPage<Item>(rows: Item[], limit: number, keyOf: (item: Item) => unknown[]) {
  let length = 0;
  const tooLong = rows.findIndex((row, place) =>
    (length += JSON.stringify(row).length) > LENGTH_MAX && place > 0
  );
  const items = rows.slice(0, tooLong === -1 ? limit : Math.min(limit, tooLong));
  return { items, next: rows.length > items.length ? encode(keyOf(items.at(-1)!)) : null };
}

function encode(key: unknown[]): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(key)).buffer).replaceAll("=", "");
}

function decode(text: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(decodeBase64Url(text)));
  } catch {
    return undefined;
  }
}
