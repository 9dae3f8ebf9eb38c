import { type Figure, show } from "./figure.ts";
import { alternate, type Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const CONNECTIONS = [8, 32];
const WARM_UP_MS = 3_000;
const RATIO_MIN = 0.5;

/**
 * Measures commands per second over HTTP, against the same statement from a bare driver: the cost of
 * everything around the statement. The server and the relay run during both, because the events of both have
 * to be relayed, and each round starts after the relay has caught up. The bare driver has a connection for
 * each lane; the server has the usual pool.
 */
export async function measureCommands(stage: Stage, { rounds, roundMs }: Plan): Promise<Figure[]> {
  const overHttp = (connections: number, durationMs: number) =>
    stage.http.run("commandsOverHttp", { url: stage.server.url, connections, durationMs });
  const raw = (connections: number, durationMs: number) =>
    stage.raw.run("commandsRaw", { databaseUrl: stage.database.urls.command, connections, durationMs });
  await overHttp(8, WARM_UP_MS);
  await raw(8, WARM_UP_MS / 2);

  const results = CONNECTIONS.map((connections) => ({
    connections,
    http: [] as number[],
    raw: [] as number[],
  }));
  await alternate(
    rounds,
    results.flatMap((result) => [
      async () => {
        await stage.untilCaughtUp();
        result.http.push(await overHttp(result.connections, roundMs));
      },
      async () => {
        await stage.untilCaughtUp();
        result.raw.push(await raw(result.connections, roundMs));
      },
    ]),
  );
  return results.map(({ connections, http, raw }) => {
    const ratio = median(http.map((value, round) => value / raw[round]!));
    return {
      what: `Commands/s, ${connections} connections: HTTP against the bare statement`,
      measured: `${show(median(http))} / ${show(median(raw))} = ${ratio.toFixed(2)}`,
      aim: { text: `≥ ${RATIO_MIN}`, isMet: ratio >= RATIO_MIN },
      data: { connections, http, raw, ratio },
    };
  });
}
