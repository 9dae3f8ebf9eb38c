import { InvalidInput } from "../errors.ts";
import { isStorable } from "../shapes.ts";

const DEPTH_MAX = 32;

/**
 * Parses JSON that PostgreSQL can store: no NUL characters, no lone surrogates, nested 32 deep at most, and
 * no `__proto__`.
 * @throws {InvalidInput} If the text is not JSON, or breaks a rule above.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidInput("Cannot read the body: it is not JSON");
  }
  check(value, "#", 0);
  return value;
}

function check(value: unknown, pointer: string, depth: number): void {
  if (depth > DEPTH_MAX) refuse(pointer, `Nested more than ${DEPTH_MAX} deep`);
  if (typeof value === "string") return checkText(value, pointer);
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    checkText(key, pointer);
    if (key === "__proto__") refuse(pointer, "__proto__ is not allowed");
    check(item, `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth + 1);
  }
}

/** Checks a text. @throws {InvalidInput} If PostgreSQL cannot store the text. */
export function checkText(text: string, pointer: string): void {
  if (!isStorable(text)) refuse(pointer, "Not valid Unicode text");
}

function refuse(pointer: string, detail: string): never {
  throw new InvalidInput("Cannot accept the input", [{ pointer, detail }]);
}
