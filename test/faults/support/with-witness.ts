import process from "node:process";
import { readModelSubscriptions } from "../../../src/compose.ts";
import { openDatabase } from "../../../src/database/database.ts";
import { subscribeHandler } from "../../../src/relay/handlers/subscribe-handler.ts";
import { createWitness } from "./witness.ts";

// Loaded before the program (WITH_WITNESS): the program's relay runs the witness, too.
readModelSubscriptions.push(
  subscribeHandler(createWitness(openDatabase(process.env.COMMAND_DATABASE_URL!, { max: 5 }))),
);
