import { app } from "./app.ts";
import { createWorker } from "./cloudflare.ts";

export default createWorker(app);
