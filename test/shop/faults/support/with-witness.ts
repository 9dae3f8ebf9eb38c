import { app } from "../../../../src/app.ts";
import { createWitness } from "./witness.ts";

// Loaded before the program (WITH_WITNESS): the program's relay runs the witness, too.
const { handlers } = app;
app.handlers = (db) => [...handlers(db), createWitness(db)];
