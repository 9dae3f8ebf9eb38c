import { startChild } from "./child.ts";
import type { jobs } from "./jobs.ts";

type Jobs = typeof jobs;

/** A process making load, the same for all rounds: the code stays warm. */
export interface LoadWorker {
  /** Runs a job, a single job at a time. @throws {Error} If the job fails. */
  run<Name extends keyof Jobs>(job: Name, options: Parameters<Jobs[Name]>[0]): ReturnType<Jobs[Name]>;
  stop(): Promise<void>;
}

export function startLoadWorker(): LoadWorker {
  const child = startChild("bench/worker.ts");
  async function run(job: string, options: unknown) {
    child.write(JSON.stringify({ job, options }));
    const { result, error } = JSON.parse(await child.nextLine());
    if (error) throw new Error(`Cannot measure ${job}: ${error}`);
    return result;
  }
  return { run: run as LoadWorker["run"], stop: child.stop };
}
