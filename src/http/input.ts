import type { MiddlewareHandler } from "hono";
import { en } from "zod/locales";
import * as z from "zod/mini";
import { InvalidInput } from "../errors.ts";
import type { Env } from "./env.ts";
import { checkText, parseJson } from "./json.ts";
import { readText } from "./read-text.ts";
import { describe } from "./openapi.ts";

/** The answer to wrong input stays small, however much is wrong. */
const PROBLEMS_MAX = 10;
const DETAIL_LENGTH_MAX = 500;

// By itself, zod/mini says no more than "Invalid input".
z.config(en());

type Reads<Target extends string, Schema extends z.ZodMiniType> = MiddlewareHandler<
  Env,
  string,
  { in: { [T in Target]: z.input<Schema> }; out: { [T in Target]: z.output<Schema> } }
>;

/**
 * Reads the body: `c.req.valid("json")`. No body at all counts as `{}`.
 * @throws {UnsupportedMediaType} If the body is not declared as JSON in UTF-8, or is compressed.
 * @throws {InvalidInput} If the body is not JSON in UTF-8 or does not have the shape.
 */
export function body<Schema extends z.ZodMiniType>(schema: Schema): Reads<"json", Schema> {
  return describe<Reads<"json", Schema>>({ body: schema }, async (c, next) => {
    const text = await readText(c);
    c.req.addValidatedData("json", parse(schema, text === undefined ? {} : parseJson(text)) as object);
    await next();
  });
}

/** Reads the path: `c.req.valid("param")`. @throws {InvalidInput} If the shape is wrong. */
export function path<Schema extends z.ZodMiniType>(schema: Schema): Reads<"param", Schema> {
  return describe<Reads<"param", Schema>>({ path: schema }, async (c, next) => {
    c.req.addValidatedData("param", parse(schema, c.req.param()) as object);
    await next();
  });
}

/** Reads the query string: `c.req.valid("query")`. @throws {InvalidInput} If the shape is wrong. */
export function query<Schema extends z.ZodMiniType>(schema: Schema): Reads<"query", Schema> {
  return describe<Reads<"query", Schema>>({ query: schema }, async (c, next) => {
    const given = c.req.query();
    for (const [name, value] of Object.entries(given)) checkText(value, `#/${name}`);
    c.req.addValidatedData("query", parse(schema, given) as object);
    await next();
  });
}

function parse(schema: z.ZodMiniType, value: unknown): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new InvalidInput(
    "Cannot accept the input",
    result.error.issues.slice(0, PROBLEMS_MAX).map(({ path, message }) => ({
      pointer: ["#", ...path.map(String)].join("/"),
      detail: message.length > DETAIL_LENGTH_MAX
        ? `${message.slice(0, DETAIL_LENGTH_MAX).toWellFormed()}…`
        : message,
    })),
  );
}
