/** One line of the report. */
export interface Figure {
  what: string;
  /** For people. */
  measured: string;
  /** What we want it to be, and whether it is. A machine that is busy or slow misses aims: nothing fails. */
  aim?: { text: string; isMet: boolean };
  /** The numbers behind it, for comparing runs. */
  data: Record<string, unknown>;
}

/** A whole number with thousands separated, from 100 on; else with two digits that matter. */
export function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));
}
