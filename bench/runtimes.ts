import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { bundleWorker } from "../test/runtimes/bundle.ts";
import { type Runtime, runtimeNames } from "../test/runtimes/runtimes.ts";
import { type Running, startOn } from "../test/runtimes/start.ts";
import { settingsOf } from "../test/support/program.ts";
import { orderPaths } from "./measure-queries.ts";
import { alternate, SHORT } from "./plan.ts";
import { describeMachine } from "./report.ts";
import { setUp, type Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = 8;
const STARTS = 5;

interface Result {
  commands: number[];
  queries: number[];
  startsMs: number[];
  memoryMb: number;
}

/** Measures each runtime with the same load, beside a relay on Node. `npm run bench:runtimes` */
async function main(): Promise<void> {
  const cleanups: (() => Promise<void>)[] = [];
  try {
    console.log(Object.values(describeMachine()).join(" · "));
    const stage = await setUp(cleanups);
    const bundle = await bundleWorker();
    cleanups.push(bundle.remove);
    const settings = { ...settingsOf(stage.database.urls), RELAY: "off", LOG_LEVEL: "error" };
    const start = (name: Runtime) => () => startOn(name, settings, bundle);
    console.log("\n| runtime | commands/s | queries/s | memory | start |\n| --- | --- | --- | --- | --- |");
    for (const name of runtimeNames) {
      console.log(toRow(name, await measure(stage, start(name))));
    }
  } finally {
    for (const cleanUp of cleanups.reverse()) await cleanUp();
  }
}

async function measure(stage: Stage, start: () => Promise<Running>): Promise<Result> {
  const startsMs = await startsOf(start);
  const running = await start();
  try {
    const result: Result = { commands: [], queries: [], startsMs, memoryMb: 0 };
    const load = { url: running.url, connections: CONNECTIONS, durationMs: SHORT.roundMs };
    await stage.http.run("commandsOverHttp", load);
    await stage.http.run("getsOverHttp", { ...load, paths: orderPaths });
    await alternate(SHORT.rounds, [
      async () => void result.commands.push(await stage.http.run("commandsOverHttp", load)),
      async () => {
        await stage.untilCaughtUp();
        result.queries.push(await stage.http.run("getsOverHttp", { ...load, paths: orderPaths }));
      },
    ]);
    return { ...result, memoryMb: await memoryOf(running) };
  } finally {
    await running.stop();
  }
}

/** Returns the times from the start of the process to the first answer, without a database: milliseconds. */
async function startsOf(start: () => Promise<Running>): Promise<number[]> {
  const times: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    const startedAt = performance.now();
    const { stop } = await start();
    times.push(performance.now() - startedAt);
    await stop();
  }
  return times;
}

/** Returns the memory of a group of processes, in MB: Linux only. */
async function memoryOf({ group }: Running): Promise<number> {
  const pids = execFileSync("pgrep", ["-g", String(group)], { encoding: "utf8" }).trim().split("\n");
  const kilobytes = await Promise.all(pids.map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }));
  return kilobytes.reduce((sum, size) => sum + size, 0) / 1024;
}

function toRow(name: string, { commands, queries, memoryMb, startsMs }: Result): string {
  const [perSecond, asked] = [commands, queries].map((values) =>
    Math.round(median(values)).toLocaleString("en")
  );
  return `| ${name} | ${perSecond} | ${asked} | ${Math.round(memoryMb)} MB | ${
    Math.round(median(startsMs))
  } ms |`;
}

await main();
