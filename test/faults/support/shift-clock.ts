import process from "node:process";

// Loaded before the program: its clock is CLOCK_SHIFT_MS off. What measures time instead of telling it, such as
// performance.now() and timers, stays right, as it does when somebody sets a machine's clock.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = Date;

globalThis.Date = new Proxy(RealDate, {
  construct: (date, given, target) =>
    Reflect.construct(date, given.length === 0 ? [RealDate.now() + shiftMs] : given, target),
  apply: () => new Date().toString(),
  get: (date, name) => name === "now" ? () => RealDate.now() + shiftMs : Reflect.get(date, name),
});
