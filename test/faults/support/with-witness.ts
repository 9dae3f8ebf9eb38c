import process from "node:process";
import { subscriptions } from "../../../src/app.ts";
import { openDatabase } from "../../../src/database/database.ts";
import { createWitness, toTestSubscription } from "./witness.ts";

// Loaded before the program (WITH_WITNESS), so that its relay runs the witness too.
subscriptions.push(
  toTestSubscription(createWitness(openDatabase(process.env.COMMAND_DATABASE_URL!, { max: 5 }))),
);
