import process from "node:process";
import type { Figure } from "./figure.ts";
import { measureCommands } from "./measure-commands.ts";
import { measureFreshness } from "./measure-freshness.ts";
import { measureFulfilment } from "./measure-fulfilment.ts";
import { measureProcessor } from "./measure-processor.ts";
import { measureQueries } from "./measure-queries.ts";
import { measureRefresh } from "./measure-refresh.ts";
import { measureSlowCommits } from "./measure-slow-commits.ts";
import { FULL, SHORT } from "./plan.ts";
import { describeMachine, saveResults, toTable } from "./report.ts";
import { setUp, type Stage } from "./stage.ts";

/** The measurements in order: the last leaves a database with slow commits. */
const measurements = {
  commands: measureCommands,
  queries: measureQueries,
  "processor time": measureProcessor,
  freshness: measureFreshness,
  fulfilment: measureFulfilment,
  refresh: measureRefresh,
  "slow commits": measureSlowCommits,
};

const stopped = new Promise<never>((_, reject) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => reject(new Error(`Stopped by ${signal}`)));
  }
});
stopped.catch(() => {});

/** Measures everything, or stops in the middle; cleans up in both cases. */
async function main(): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    const startedAt = new Date();
    const machine = describeMachine();
    const stage = await setUp(cleanups);
    const figures = await Promise.race([measureAll(stage), stopped]);
    const postgres = await versionOf(stage);
    console.log(`\n${Object.values({ ...machine, postgres }).join(" · ")}\n\n${toTable(figures)}\n`);
    console.log(`Saved ${await saveResults({ startedAt, machine, postgres, figures }, startedAt)}`);
  } finally {
    for (const cleanUp of cleanups.reverse()) await cleanUp().catch((error) => console.error(error.message));
  }
}

async function measureAll(stage: Stage): Promise<Figure[]> {
  const plan = process.argv.includes("--full") ? FULL : SHORT;
  const only = process.argv.find((argument) => argument.startsWith("--only="))?.slice("--only=".length);
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries(measurements)) {
    if (only !== undefined && only !== name) continue;
    console.error(`Measuring ${name} …`);
    figures.push(...await measure(stage, plan));
  }
  return figures;
}

async function versionOf({ database: { owner } }: Stage): Promise<string> {
  const [{ version }] = await owner<
    [{ version: string }]
  >`select current_setting('server_version') as version`;
  return `PostgreSQL ${version}`;
}

try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
