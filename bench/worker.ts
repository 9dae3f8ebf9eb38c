import process from "node:process";
import { createInterface } from "node:readline";
import { jobs } from "./jobs.ts";

// Runs jobs until standard input ends: a job in each line of input, the result in a line of standard output.
for await (const line of createInterface({ input: process.stdin })) {
  const { job, options } = JSON.parse(line);
  try {
    const result = await jobs[job as keyof typeof jobs](options);
    console.log(JSON.stringify({ result }));
  } catch (error) {
    console.log(JSON.stringify({ error: error instanceof Error ? error.stack : String(error) }));
  }
}
