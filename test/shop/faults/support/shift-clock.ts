import process from "node:process";

// Loaded before the program, to shift the program's clock by CLOCK_SHIFT_MS. Durations stay right (of
// `performance.now()` and timers), as after a change of a machine's clock.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (date, given, target) =>
    Reflect.construct(date, given.length === 0 ? [RealDate.now() + shiftMs] : given, target),
  apply: () => new Date().toString(),
  get: (date, name) => name === "now" ? () => RealDate.now() + shiftMs : Reflect.get(date, name),
});
