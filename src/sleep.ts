/** Waits; ends early, without an error, when any signal aborts. */
export function sleep(ms: number, ...signals: (AbortSignal | undefined)[]): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) return resolve();
    const done = () => {
      clearTimeout(timer);
      signals.forEach((signal) => signal?.removeEventListener("abort", done));
      resolve();
    };
    const timer = setTimeout(done, ms);
    signals.forEach((signal) => signal?.addEventListener("abort", done));
  });
}
