/** Returns the middle of the values; the lower of two. */
export function median(values: number[]): number {
  return percentile(values, 50);
}

/** Returns the smallest value not exceeded by `percent` % of the values. @throws {Error} Without values. */
export function percentile(values: number[], percent: number): number {
  if (values.length === 0) throw new Error("Cannot find a percentile: there are no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)]!;
}
