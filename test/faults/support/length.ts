import process from "node:process";

/** `FAULTS=long` takes the time that figures for the docs need; else a fault is over in seconds. */
export function shortOrLong<T>(short: T, long: T): T {
  return process.env.FAULTS === "long" ? long : short;
}

/** How long a fault may take, on a machine that is busy with other things too. */
export const FAULT_MS = shortOrLong(180_000, 1_800_000);
