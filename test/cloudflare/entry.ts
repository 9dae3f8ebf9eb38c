import { createWorker } from "../../src/cloudflare/create-worker.ts";
import { app } from "../jars/app.ts";

export default createWorker(app);
