/** A line of the report. */
export interface Figure {
  what: string;
  /** The value as text. */
  measured: string;
  /** The wanted value, and true if met. A busy or slow machine misses aims: nothing fails. */
  aim?: { text: string; isMet: boolean };
  /** The numbers behind the text, for comparing runs. */
  data: Record<string, unknown>;
}

/** Formats a number: from 100 on, whole, with thousands separated; below, with two significant digits. */
export function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(2)));
}
