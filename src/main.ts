import { app } from "./app.ts";
import { runMode } from "./process/run-mode.ts";
import { openSampleShop } from "./sample-shop.ts";

await runMode(app, openSampleShop);
