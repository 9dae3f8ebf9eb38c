import { randomUUID } from "node:crypto";
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { fromToken } from "../../../src/http/token.ts";
import { useTestDatabase } from "../../support/database.ts";
import { type Program, settingsOf, usePrograms } from "../../support/program.ts";
import { useProxy } from "../../support/proxy.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { until } from "../../support/until.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";

const STOPS = shortOrLong(2, 20);
const CLIENTS = 30;
const ANSWERS_BEFORE_STOP = 200;
/** Delay each way, long enough for many seemingly idle connections to have a request on the way. */
const DELAY_MS = 15;
const PAUSE_MS_MAX = 100;

describe("a program that is stopped under load", () => {
  const database = useTestDatabase();
  let url = "";
  const proxy = useProxy(() => url);
  const run = usePrograms();

  it("answers every request of the connections it has accepted", async () => {
    const random = seededRandom("graceful stop");
    proxy.delayMs = DELAY_MS;
    const acknowledged: string[] = [];
    for (let stops = 0; stops < STOPS; stops++) {
      const program = run("start", { settings: settingsOf(database.urls) });
      url = await program.printed(/Listening on (\S+)/);
      acknowledged.push(...await stopUnderLoad(program, proxy.url(url), random));
    }

    // Another relay finishes the work of the last program's relay.
    run("relay", { settings: settingsOf(database.urls) });
    const verdict = await verify(database.owner, { acknowledged });
    await report("Stop (SIGTERM) under load", verdict, random, `${STOPS} stops, no client saw an error`);
    expect(verdict).toMatchObject({ missed: 0, twice: 0, outOfOrder: 0 });
  }, FAULT_MS);
});

/** Stops the program under load. Returns the ids of the events acknowledged to clients. */
async function stopUnderLoad(program: Program, url: string, random: Random): Promise<string[]> {
  const acknowledged: string[] = [];
  const clients = Array.from({ length: CLIENTS }, () => sendUntilTold(url, random, acknowledged));
  await until("the load is on", () => acknowledged.length >= ANSWERS_BEFORE_STOP);
  await setTimeout(random.between(0, PAUSE_MS_MAX));
  program.signal("SIGTERM");

  expect(await Promise.all(clients)).toEqual(clients.map(() => "told to close"));
  expect(await program.ended).toBe(0);
  return acknowledged;
}

/** Sends commands on a single connection until an answer announces the end of the connection. */
async function sendUntilTold(url: string, random: Random, acknowledged: string[]): Promise<string> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (;;) {
      const answer = await addProduct(url, agent);
      const { token } = JSON.parse(await text(answer));
      expect(answer.statusCode).toBe(201);
      acknowledged.push(fromToken(token));
      if (answer.headers.connection === "close") return "told to close";
      await setTimeout(random.between(0, PAUSE_MS_MAX));
    }
  } catch (error) {
    return (error as Error).message;
  } finally {
    agent.destroy();
  }
}

function addProduct(url: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": randomUUID() };
    const sent = request(`${url}products`, { method: "POST", agent, headers }, resolve);
    sent.on("error", reject).end(JSON.stringify({ name: "Desk lamp", priceCents: 4_900 }));
  });
}

async function text(answer: IncomingMessage): Promise<string> {
  return (await answer.setEncoding("utf8").toArray()).join("");
}
