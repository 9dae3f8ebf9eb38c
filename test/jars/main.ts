import { runMode } from "../../src/process/run-mode.ts";
import { app } from "./app.ts";

await runMode(app);
