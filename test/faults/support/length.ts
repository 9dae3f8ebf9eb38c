import process from "node:process";

/** Returns `long` with `FAULTS=long`, for the docs' figures; otherwise `short`: a fault takes seconds. */
export function shortOrLong<T>(short: T, long: T): T {
  return process.env.FAULTS === "long" ? long : short;
}

/** The time limit of a fault, also on a busy machine. */
export const FAULT_MS = shortOrLong(180_000, 1_800_000);
