import type * as z from "zod/mini";

/** Returns the refused places of an input, for example `lines.0.quantity`; none for a valid input. */
export function refused({ input }: { input: z.ZodMiniType }, given: unknown): string[] {
  const result = input.safeParse(given);
  return result.success ? [] : [...new Set(result.error.issues.map(({ path }) => path.join(".")))];
}
