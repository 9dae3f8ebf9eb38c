import * as z from "zod";

/** How many items a page has: 20 unless asked, 100 at most. */
export const limit = z.coerce.number().int().min(1).max(100).default(20);

/** Where a page ended, as the next one is asked for: the values the list is sorted by, opaque to the client. */
export function after<Key extends z.ZodType>(key: Key) {
  return z.string().max(4_000).transform((text, context): z.output<Key> => {
    const parsed = key.safeParse(decode(text));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: "custom", message: "Not the `next` of a page" });
    return z.NEVER;
  });
}

/** Some items, and in `next` what to pass as `after` to get the next ones: null on the last page. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** Makes a page from one row more than fits, which tells whether there is a next page. */
export function toPage<Item>(rows: Item[], limit: number, keyOf: (item: Item) => unknown[]) {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? encode(keyOf(items.at(-1)!)) : null };
}

function encode(key: unknown[]): string {
  return btoa(encodeURIComponent(JSON.stringify(key))).replaceAll("+", "-").replaceAll("/", "_").replaceAll(
    "=",
    "",
  );
}

function decode(text: string): unknown {
  try {
    return JSON.parse(decodeURIComponent(atob(text.replaceAll("-", "+").replaceAll("_", "/"))));
  } catch {
    return undefined;
  }
}
