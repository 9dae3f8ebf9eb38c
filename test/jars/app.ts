import { Hono } from "hono";
import type { App } from "../../src/compose.ts";
import type { Database } from "../../src/database/database.ts";
import type { Env } from "../../src/http/env.ts";
import { toHandler } from "../../src/relay/handlers/process-manager.ts";
import { gramsByLabel, jarDetails, toppingUp } from "./jar.ts";
import { jarCommands, jarQueries } from "./routes.ts";

/** The program of the tests: jars in the place of a business. */
export const app = {
  info: { title: "Jars", version: "0.1.0", description: "A small feature for tests." },
  commands: () => new Hono<Env>().route("/", jarCommands()),
  queries: () => new Hono<Env>().route("/", jarQueries()),
  readModels: [jarDetails, gramsByLabel],
  handlers: (db: Database) => [toHandler(db, toppingUp)],
  timers: () => [],
} satisfies App;
