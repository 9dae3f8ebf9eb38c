import { createWorker } from "../../src/cloudflare.ts";
import { app } from "./app.ts";

export default createWorker(app);
