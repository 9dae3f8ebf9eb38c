import { describe, expect, it } from "vitest";
import type { DatabaseUrls } from "../../../src/config.ts";
import { useTestDatabase } from "../../support/database.ts";
import { type Program, settingsOf, usePrograms } from "../../support/program.ts";
import { seededRandom } from "../../support/random.ts";
import { createBalancer } from "./support/balancer.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { summary } from "./support/load.ts";
import { verify } from "./support/oracle.ts";
import { startOrders } from "./support/orders-shown.ts";
import { report } from "../../faults/support/report.ts";

const ROUNDS = shortOrLong(1, 3);
const ORDERS_BETWEEN_MAX = shortOrLong(30, 100);

/** A process, with the mode and settings for a restart in the same place. */
interface Place {
  mode: "start" | "relay";
  settings: Record<string, string>;
  program: Program;
}

type Kind = Pick<Place, "mode" | "settings">;

describe.each([
  { what: "2 APIs, 2 relays", ofCommands: both, ofQueries: undefined },
  { what: "2 for commands, 2 for queries, 2 relays", ofCommands: commandsOnly, ofQueries: queriesOnly },
])("a rolling restart of $what, under load", ({ what, ofCommands, ofQueries }) => {
  const database = useTestDatabase();
  const run = usePrograms();

  it("fails no request, and shows every order", async () => {
    const random = seededRandom(`rolling restart of ${what}`);
    const twice = (kind: Kind) => Promise.all([startIn(run, kind), startIn(run, kind)]);
    const commands = await twice(ofCommands(database.urls));
    const queries = ofQueries ? await twice(ofQueries(database.urls)) : commands;
    const relays = await twice({ mode: "relay", settings: settingsOf(database.urls) });
    const balancers = [createBalancer(commands.map(urlOf)), createBalancer(queries.map(urlOf))] as const;
    const load = await startOrders(...balancers, random);

    const places = [...new Set([...commands, ...queries, ...relays])];
    for (const place of Array(ROUNDS).fill(places).flat() as Place[]) {
      await load.untilMore(random.between(1, ORDERS_BETWEEN_MAX));
      await restart(run, place);
    }
    await load.untilMore(ORDERS_BETWEEN_MAX);
    await load.stop();
    balancers.forEach((balancer) => balancer.end());

    const verdict = await verify(database.owner, load);
    const restarts = ROUNDS * places.length;
    const shown = `shown after p50 ${at(load.delaysMs(), 50)} ms, p99 ${at(load.delaysMs(), 99)} ms`;
    await report(
      "Processes restarted in turn",
      verdict,
      random,
      `${what}: ${restarts} restarts; ${summary(load)}; ${shown}`,
    );
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
    expect(Object.keys(load.answers).toSorted()).toEqual(["200", "201"]);
  }, FAULT_MS);
});

function both(urls: DatabaseUrls): Kind {
  return { mode: "start", settings: { ...settingsOf(urls), RELAY: "off" } };
}

/** Returns a program for commands only, with a single login. */
function commandsOnly({ command }: DatabaseUrls): Kind {
  return serving("commands", command);
}

function queriesOnly({ query }: DatabaseUrls): Kind {
  return serving("queries", query);
}

function serving(SERVE: string, DATABASE_URL: string): Kind {
  const settings = { SERVE, DATABASE_URL, RELAY: "off", PORT: "0", HOST: "127.0.0.1", LOG_LEVEL: "warning" };
  return { mode: "start", settings };
}

type Run = ReturnType<typeof usePrograms>;

async function startIn(run: Run, kind: Kind): Promise<Place> {
  const program = run(kind.mode, { settings: kind.settings });
  const said = await program.printed(/Listening on \S+:(\d+)|Relaying/);
  const settings = kind.mode === "start" ? { ...kind.settings, PORT: said } : kind.settings;
  return { mode: kind.mode, settings, program };
}

async function restart(run: Run, place: Place): Promise<void> {
  place.program.signal("SIGTERM");
  expect(await place.program.ended).toBe(0);
  Object.assign(place, await startIn(run, place));
}

function urlOf({ settings }: Place): string {
  return `http://127.0.0.1:${settings.PORT}`;
}

function at(sorted: number[], percent: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0);
}
