import process from "node:process";
import { subscriptions } from "../../../src/app.ts";
import { openDatabase } from "../../../src/database/database.ts";
import { subscribe } from "../../../src/relay/handler.ts";
import { createWitness } from "./witness.ts";

// Loaded before the program (WITH_WITNESS), so that its relay runs the witness too.
subscriptions.push(
  subscribe(createWitness(openDatabase(process.env.COMMAND_DATABASE_URL!, { max: 5 }))),
);
