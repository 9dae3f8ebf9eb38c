import process from "node:process";

/** `FAULTS=long` takes the time that figures for the docs need; else a fault is over in seconds. */
export function shortOrLong<T>(short: T, long: T): T {
  return process.env.FAULTS === "long" ? long : short;
}
