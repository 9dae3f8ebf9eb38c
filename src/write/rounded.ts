import { CommandRejected } from "../errors.ts";
import type { Event } from "./event.ts";

/**
 * Refuses numbers beyond 2^53 - 1, for example in a row of a `bigint`, or a sum: JavaScript rounds larger
 * numbers, and a save would make the rounded number true. Looks at the events, at the numbers of the state
 * before and after, and at the parts of the state, such as lists, that the events have changed.
 * @throws {CommandRejected} If any number is larger: the message has the place.
 */
export function refuseRounded(command: string, before: unknown, after: unknown, events: Event[]): void {
  const large = placeOfLarge(events.map(({ data }) => data)) ?? placeOfLarge(numbersOf(before)) ??
    placeOfLarge(changedParts(before, after));
  if (large === undefined) return;
  throw new CommandRejected(
    "number-too-large",
    `Cannot carry out ${command}: ${large} is beyond ${Number.MAX_SAFE_INTEGER}`,
  );
}

function numbersOf(state: unknown): object {
  return Object.fromEntries(Object.entries(state as object).filter(([, part]) => typeof part === "number"));
}

function changedParts(before: unknown, after: unknown): object {
  const old = new Map(Object.entries(before as object));
  return Object.fromEntries(Object.entries(after as object).filter(([name, part]) => part !== old.get(name)));
}

/** Returns the path of a number beyond 2^53 - 1, for example `0/lines/3/unitPriceCents`. */
function placeOfLarge(value: unknown, path: string[] = []): string | undefined {
  if (typeof value === "number") {
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? path.join("/") : undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, part] of Object.entries(value)) {
    const found = placeOfLarge(part, [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}
