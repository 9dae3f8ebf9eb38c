import process from "node:process";
import { app } from "../../../../src/app.ts";
import { readModelSubscriptions } from "../../support/shop.ts";
import { openDatabase } from "../../../../src/database/database.ts";
import type { Handler } from "../../../../src/relay/handlers/handler.ts";
import { createRelay } from "../../../../src/relay/relay.ts";
import { subscribeHandler } from "../../../../src/relay/handlers/subscribe-handler.ts";
import { runRelay } from "../../../../src/relay/waking/run.ts";
import { faultAt } from "./fault-points.ts";
import { createWitness } from "./witness.ts";

// Runs a relay like the program's, with a witness and a fault. FAULT_POINT and FAULT_TIMES set the moment,
// FAULT_SIGNAL the signal. With POISON, the witness fails at some events.
const { COMMAND_DATABASE_URL, RELAY_DATABASE_URL, FAULT_POINT, FAULT_TIMES, FAULT_SIGNAL, POISON } =
  process.env;
const plugins = FAULT_POINT === undefined
  ? []
  : [faultAt(FAULT_POINT, Number(FAULT_TIMES), FAULT_SIGNAL as NodeJS.Signals)];
const open = (url: string | undefined) =>
  plugins.reduce((db, plugin) => db.withPlugin(plugin), openDatabase(url!, { max: 8 }));
const command = open(COMMAND_DATABASE_URL);

const relay = createRelay({
  db: open(RELAY_DATABASE_URL),
  subscriptions: [
    ...readModelSubscriptions,
    ...app.handlers(command).map(subscribeHandler),
    subscribeHandler(POISON === undefined ? createWitness(command) : poisoned(createWitness(command))),
  ],
  timers: app.timers(command),
});
console.log("Relaying");
await runRelay(relay, RELAY_DATABASE_URL!, new AbortController().signal);

/** Makes the first event of a stream with "throws", "hangs" or "kills" in the name throw, hang or kill. */
function poisoned(witness: Handler): Handler {
  return {
    ...witness,
    attemptsMax: 3,
    // Long enough for an innocent event in a relay just started on a busy machine.
    timeoutMs: 2_000,
    async handle(event, ...rest) {
      if (event.version === 1) {
        if (event.stream.includes("throws")) throw new Error("Poison");
        if (event.stream.includes("hangs")) await new Promise(() => {});
        if (event.stream.includes("kills")) process.kill(process.pid, "SIGKILL");
      }
      await witness.handle(event, ...rest);
    },
  };
}
