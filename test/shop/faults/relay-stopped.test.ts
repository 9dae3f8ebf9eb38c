import { execFile } from "node:child_process";
import { sql } from "kysely";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { app } from "../../../src/app.ts";
import { readModelSubscriptions } from "../support/shop.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";
import { runRelay } from "../../../src/relay/waking/run.ts";
import { useTestDatabase } from "../../support/database.ts";
import { seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { type FAULT_POINTS } from "./support/fault-points.ts";
import { shortOrLong } from "../../faults/support/length.ts";
import { settled, verify } from "./support/oracle.ts";
import { type RelayProgram, useRelayPrograms } from "./support/relay-programs.ts";
import { report } from "../../faults/support/report.ts";
import { startSteadyLoad } from "./support/steady-load.ts";
import { createWitness, installWitness } from "./support/witness.ts";
import { createRelay } from "../../../src/relay/relay.ts";

const ROUNDS = shortOrLong(1, 10);
/** The points at which a stopped relay can do the most harm. */
const POINTS: (typeof FAULT_POINTS)[number][] = [
  "during look",
  "after look",
  "during refresh",
  "after hand out",
  "during handle",
  "after handle",
];
const STOP_MS_MAX = 60_000;

describe("three relays, the first of which is stopped while it works and continued later", () => {
  const database = useTestDatabase();
  const relayWith = useRelayPrograms();

  it("lose nothing: another takes over, and the late one changes nothing", async () => {
    const random = seededRandom("relay stopped");
    await installWitness(database.owner);
    const tookOverMs: number[] = [];
    const acknowledged: string[] = [];
    for (const point of Array<typeof POINTS>(ROUNDS).fill(POINTS).flat()) {
      const environment = {
        FAULT_POINT: point,
        FAULT_TIMES: `${random.between(1, 3)}`,
        FAULT_SIGNAL: "SIGSTOP",
      };
      const late = relayWith(database.urls, environment);
      const load = await startSteadyLoad(database, random);
      await until(`it is stopped ${point}`, () => isStopped(late), STOP_MS_MAX);
      await load.stop();
      acknowledged.push(...load.acknowledged);

      const stoppedAt = performance.now();
      const leases = await listLeases();
      const others = startRelays(2);
      await until("another has what it had", async () => {
        const now = await listLeases();
        return !leases.some((lease) => now.includes(lease));
      });
      tookOverMs.push(performance.now() - stoppedAt);
      await settled(database.owner);
      late.signal("SIGCONT");
      await until("the late one goes on", async () => !await isStopped(late));
      await others.stop();
      late.signal("SIGKILL");
    }
    const longest = Math.round(Math.max(...tookOverMs));
    const verdict = await verify(database.owner, { acknowledged, witness: true });
    await report(
      "Relay stopped, continued later",
      verdict,
      random,
      `${tookOverMs.length} stops, taken over after ${longest} ms at most`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, shortOrLong(180_000, 1_200_000));

  /** Returns the lanes in hand, each with the number of the hold. */
  async function listLeases(): Promise<string[]> {
    const { rows } = await sql<{ lease: string }>`
      select format('%s %s %s', subscription, stream, hold) as lease from relay.lanes where state = 'in hand'`
      .execute(database.owner);
    return rows.map(({ lease }) => lease);
  }

  /** Starts relays in this process: no new process has to start first. */
  function startRelays(count: number) {
    const stopping = new AbortController();
    const running = Array.from({ length: count }, () => {
      const all = [
        ...readModelSubscriptions,
        ...app.handlers(database.command).map(subscribeHandler),
        subscribeHandler(createWitness(database.command)),
      ];
      return runRelay(
        createRelay({ db: database.relay, subscriptions: all }),
        database.urls.relay,
        stopping.signal,
      );
    });
    return {
      async stop() {
        stopping.abort();
        await Promise.all(running);
      },
    };
  }
});

async function isStopped({ pid }: RelayProgram): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", `${pid}`]);
  return stdout.startsWith("T");
}
