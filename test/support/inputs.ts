import fc from "fast-check";
import * as z from "zod/mini";
import type { AnyCommand } from "./commands.ts";

/** Ids by category of aggregate: `order` has the ids for inputs named `orderId`. */
export type Ids = Record<string, string[]>;

type Shape = z.core.JSONSchema.BaseSchema;

const LIST_MAX = 3;
const ABOVE_MINIMUM_MAX = 9;

/** Returns small inputs of any shape that a command accepts, with the given ids. The `id` itself is left out. */
export function inputsOf({ name, input }: AnyCommand, ids: Ids): fc.Arbitrary<unknown> {
  const shape = z.toJSONSchema(input, { io: "input" });
  return valuesOf(shape, `${name}.input`, ids).filter((value) => input.safeParse(value).success);
}

function valuesOf(shape: Shape, place: string, ids: Ids): fc.Arbitrary<unknown> {
  const known = ids[/(\w+)Id$/.exec(place)?.[1] ?? ""];
  if (known) return fc.constantFrom(...known);
  if (shape.enum) return fc.constantFrom(...shape.enum);
  if (shape.anyOf) return fc.oneof(...shape.anyOf.map((one) => valuesOf(one as Shape, place, ids)));
  if (Array.isArray(shape.type)) {
    return fc.oneof(...shape.type.map((type) => valuesOf({ ...shape, type }, place, ids)));
  }
  const { minimum = 0, maximum = Infinity } = shape;
  switch (shape.type) {
    case "object":
      return objectsOf(shape, place, ids);
    case "array":
      return fc.array(valuesOf(shape.items as Shape, place, ids), {
        minLength: shape.minItems ?? 0,
        maxLength: LIST_MAX,
      });
    case "integer":
      return fc.integer({ min: minimum, max: Math.min(maximum, minimum + ABOVE_MINIMUM_MAX) });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
  }
  if (shape.type !== "string" || shape.format) throw new Error(`Cannot make up ${place}: extend inputs.ts`);
  return fc.constantFrom("some", "other");
}

function objectsOf({ properties = {}, required = [] }: Shape, place: string, ids: Ids) {
  const parts = Object.entries(properties).filter(([name]) => name !== "id");
  return fc.record(
    Object.fromEntries(parts.map(([name, part]) => [name, valuesOf(part as Shape, `${place}.${name}`, ids)])),
    { requiredKeys: required },
  );
}
