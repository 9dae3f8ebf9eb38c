import { setTimeout } from "node:timers/promises";

const LOOK_AGAIN_MS = 5;

/** Waits for the condition's first truthy value and returns the value. @throws {Error} After the deadline. */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value as Exclude<T, false | undefined | null>;
    if (performance.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}`);
    await setTimeout(LOOK_AGAIN_MS);
  }
}
