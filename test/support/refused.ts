import type * as z from "zod";

/** The places in an input that its shape refuses, such as `lines.0.quantity`; none when it is accepted. */
export function refused({ input }: { input: z.ZodType }, given: unknown): string[] {
  const result = input.safeParse(given);
  return result.success ? [] : [...new Set(result.error.issues.map(({ path }) => path.join(".")))];
}
