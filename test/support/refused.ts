import type * as z from "zod/mini";

/** The places in an input that its shape refuses, such as `lines.0.quantity`; none when it is accepted. */
export function refused({ input }: { input: z.ZodMiniType }, given: unknown): string[] {
  const result = input.safeParse(given);
  return result.success ? [] : [...new Set(result.error.issues.map(({ path }) => path.join(".")))];
}
