import { type Figure, show } from "./figure.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

const SITUATIONS = [
  { name: "idle", commandsPerSecond: "idle", connections: 1, p50Max: 3, p99Max: 10 },
  { name: "at 500 commands/s", commandsPerSecond: 500, connections: 32, p50Max: 5, p99Max: 15 },
  { name: "flat out", commandsPerSecond: "flat out", connections: 32, p50Max: 15, p99Max: 40 },
] as const;

/** Measures the time from acknowledgement to visibility of a command in the read model. */
export async function measureFreshness(stage: Stage, { freshnessMs }: Plan): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { name, commandsPerSecond, connections, p50Max, p99Max } of SITUATIONS) {
    await stage.untilCaughtUp();
    const { rate, samples, p50Ms, p99Ms } = await stage.http.run("freshness", {
      url: stage.server.url,
      databaseUrl: stage.database.urls.query,
      connections,
      durationMs: freshnessMs,
      commandsPerSecond,
    });
    figures.push({
      what: `Acknowledged → visible, ${name} (p50 / p99 of ${show(samples)}, ${show(rate)} commands/s)`,
      measured: `${show(p50Ms)} / ${show(p99Ms)} ms`,
      aim: { text: `≤ ${p50Max} / ${p99Max} ms`, isMet: p50Ms <= p50Max && p99Ms <= p99Max },
      data: { name, rate, samples, p50Ms, p99Ms },
    });
  }
  return figures;
}
