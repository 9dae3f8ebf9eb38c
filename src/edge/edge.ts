import { Hono } from "hono";
import { type App, compose, type Composed, createHttp, httpOptions, readSettings } from "../compose.ts";
import { databaseUrls, InvalidSettings, outsideDevelopment } from "../config.ts";
import type { Env } from "../http/env.ts";
import { configureLogging, getLogger } from "../logging.ts";
import { drain, type Drained, drainEvents } from "../relay/drain.ts";
import { withOwnTasks } from "../relay/relay.ts";
import { sleep } from "../sleep.ts";
import type { Surroundings } from "../surroundings.ts";
import { createPostByFetch } from "./post-by-fetch.ts";

/** Lets work go on after the answer: the platform's `waitUntil`. */
export type Defer = (work: Promise<unknown>) => void;

export interface Edge {
  fetch(request: Request, defer: Defer): Promise<Response>;
  /** Relays until nothing is left, for half a minute at most: the work of a cron. */
  drain(): Promise<Drained>;
}

export interface EdgeOptions {
  app: App;
  /** The settings. */
  variables: Record<string, string | undefined>;
  /** True when a connection may serve several requests: not on Cloudflare Workers. */
  keepsConnections: boolean;
  pages?: () => Hono<Env>;
}

/** Few connections: many instances may run, and Workers allow six connections at a time. */
const ONE_REQUEST: Surroundings["limits"] = {
  command: { max: 1, deadlineMs: 5_000 },
  handlers: { max: 1, deadlineMs: 5_000 },
  query: { max: 1, deadlineMs: 10_000 },
  relay: { max: 2, deadlineMs: 25_000, idleSeconds: 1 },
};
/** Short: a platform may put an instance to sleep, or wait for open connections before the instance's end. */
const IDLE_SECONDS = 5;
const SEVERAL_REQUESTS: Surroundings["limits"] = {
  command: { max: 5, deadlineMs: 5_000, idleSeconds: IDLE_SECONDS },
  handlers: { max: 2, deadlineMs: 5_000, idleSeconds: IDLE_SECONDS },
  query: { max: 5, deadlineMs: 10_000, idleSeconds: IDLE_SECONDS },
  relay: { max: 3, deadlineMs: 25_000, idleSeconds: IDLE_SECONDS },
};

const DRAIN_AFTER_COMMAND_MS = 5_000;
/** Pauses while something is left: a view that is refreshed as a whole rests between two refreshes. */
const LOOK_AGAIN_MS = [300, 1_000, 3_000];
const DRAIN_MS = 25_000;

const logger = getLogger("cqrs.edge");

/**
 * Returns the program for a platform without long-lived processes: called for each request, and by a clock.
 * After a command, the program relays the resulting events, unless `RELAY` is off because relays run
 * elsewhere.
 * @throws {InvalidSettings} If any setting is wrong.
 */
export function createEdge(
  { app, variables, keepsConnections, pages = () => new Hono() }: EdgeOptions,
): Edge {
  const settings = readSettings(variables, app, [outsideDevelopment]);
  const { DATABASE_URL, RELAY, LOG_LEVEL } = settings;
  if (DATABASE_URL === undefined) throw new InvalidSettings("Cannot start: DATABASE_URL is missing");
  configureLogging(LOG_LEVEL, "json");
  const http = createHttp(app, httpOptions(settings, pages));
  const surroundings = {
    limits: keepsConnections ? SEVERAL_REQUESTS : ONE_REQUEST,
    createPost: createPostByFetch,
  };
  const open = () => compose(app, settings, databaseUrls({ ...settings, DATABASE_URL }), surroundings);
  const kept = keepsConnections ? open() : undefined;
  const close = async (parts: Composed) => {
    if (parts !== kept) await parts.close();
  };
  /** Keeps the connections open until the end of the drain. */
  const afterwards = async (parts: Composed, isCommand: boolean) => {
    if (isCommand && RELAY !== "off") await drainAfterCommand(parts);
    await close(parts);
  };

  return {
    async fetch(request, defer) {
      const parts = kept ?? open();
      const response = await http.fetch(request, parts);
      const isCommand = !["GET", "HEAD"].includes(request.method) && response.ok;
      defer(afterwards(parts, isCommand));
      return response;
    },
    async drain() {
      const parts = kept ?? open();
      const own = withOwnTasks(parts.relay);
      try {
        await parts.begin?.();
        return await drain(own, DRAIN_MS);
      } finally {
        await own.crew.interrupt();
        await close(parts);
      }
    },
  };
}

/** Never fails: the next command, or the clock, relays the rest. */
async function drainAfterCommand({ relay, begin }: Composed): Promise<void> {
  const own = withOwnTasks(relay);
  try {
    await begin?.();
    for (const pauseMs of [...LOOK_AGAIN_MS, 0]) {
      const { more } = await drainEvents(own, DRAIN_AFTER_COMMAND_MS);
      if (!more) return;
      await sleep(pauseMs);
    }
  } catch (error) {
    logger.error("Cannot relay after a command: {message}", { message: (error as Error).message });
  } finally {
    await own.crew.interrupt();
  }
}
