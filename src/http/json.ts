import { InvalidInput } from "../errors.ts";
import { isStorable } from "../shapes.ts";

const DEPTH_MAX = 32;
const NODES_MAX = 10_000;
const NOT_TEXT = "Not valid Unicode text";

/**
 * Parses JSON that PostgreSQL can store: no NUL characters, no lone surrogates, nested 32 deep at most, of
 * 10,000 values at most, and no `__proto__`.
 * @throws {InvalidInput} If the text is not JSON, or breaks a rule above.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidInput("Cannot read the body: it is not JSON");
  }
  check(value);
  return value;
}

/** The way to a value: its key, and the way to the object or array around. A pointer is made for errors only. */
interface Way {
  key: string;
  parent: Way | undefined;
}

function check(root: unknown): void {
  let nodes = 0;
  const visit = (value: unknown, way: Way | undefined, depth: number) => {
    if (++nodes > NODES_MAX) refuse("#", `More than ${NODES_MAX} values`);
    if (depth > DEPTH_MAX) refuse(toPointer(way), `Nested more than ${DEPTH_MAX} deep`);
    if (typeof value === "string" && !isStorable(value)) refuse(toPointer(way), NOT_TEXT);
    if (typeof value !== "object" || value === null) return;
    for (const key of Object.keys(value)) {
      if (!isStorable(key)) refuse(toPointer(way), NOT_TEXT);
      if (key === "__proto__") refuse(toPointer(way), "__proto__ is not allowed");
      visit((value as Record<string, unknown>)[key], { key, parent: way }, depth + 1);
    }
  };
  visit(root, undefined, 0);
}

function toPointer(way: Way | undefined): string {
  if (way === undefined) return "#";
  return `${toPointer(way.parent)}/${way.key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** Checks a text. @throws {InvalidInput} If PostgreSQL cannot store the text. */
export function checkText(text: string, pointer: string): void {
  if (!isStorable(text)) refuse(pointer, NOT_TEXT);
}

function refuse(pointer: string, detail: string): never {
  throw new InvalidInput("Cannot accept the input", [{ pointer, detail }]);
}
