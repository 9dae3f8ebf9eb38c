import { app } from "../app.ts";
import { createWorker } from "./create-worker.ts";

export default createWorker(app);
