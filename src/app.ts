import { Hono } from "hono";
import { requestId } from "hono/request-id";
import type { Database } from "./database/database.ts";
import { NotFound } from "./errors.ts";
import { catalogCommands } from "./features/catalog/commands/routes.ts";
import { productCatalog } from "./features/catalog/queries/product-catalog.ts";
import { catalogQueries } from "./features/catalog/queries/routes.ts";
import { customers } from "./features/customers/routes.ts";
import { inventoryCommands } from "./features/inventory/commands/routes.ts";
import { orderingCommands } from "./features/ordering/commands/routes.ts";
import { orderProgress } from "./features/fulfilment/queries/order-progress.ts";
import { fulfilmentQueries } from "./features/fulfilment/queries/routes.ts";
import { fulfilment } from "./features/fulfilment/process-manager.ts";
import { fulfilmentQueue } from "./features/ordering/queries/fulfilment-queue.ts";
import { orderDetails } from "./features/ordering/queries/order-details.ts";
import { orderingQueries } from "./features/ordering/queries/routes.ts";
import { salesByDay } from "./features/ordering/queries/sales-by-day.ts";
import { collectPayments, timeOutPayments } from "./features/payments/collect-payments.ts";
import { sampleGateway } from "./features/payments/sample-gateway.ts";
import type { Env } from "./http/env.ts";
import { limitBody } from "./http/limit-body.ts";
import { openApi } from "./http/openapi.ts";
import { health, operations } from "./http/operations.ts";
import { toProblem } from "./http/problem.ts";
import { elsewhere, type Served } from "./http/served.ts";
import { getLogger } from "./log.ts";
import type { Endpoint } from "./publish/endpoint.ts";
import { type Post, publisher } from "./publish/publisher.ts";
import { toSubscription } from "./read/read-model.ts";
import type { Relay } from "./relay/drain.ts";
import { subscribe } from "./relay/handler.ts";
import { toHandler } from "./relay/process-manager.ts";
import type { Subscription } from "./relay/subscription.ts";
import type { Timer } from "./relay/timer.ts";

/** What queries read. */
export const readModels = [orderDetails, productCatalog, fulfilmentQueue, salesByDay, orderProgress];

/** What keeps the read models fresh. */
export const subscriptions = readModels.map(toSubscription);

/** Who acts on events, by commands. */
export function handlers(command: Database): Subscription[] {
  return [toHandler(command, fulfilment), collectPayments(command, sampleGateway(command))].map(subscribe);
}

/** Whom events are sent to. */
export function publishers(endpoints: Endpoint[], source: string, post: Post): Subscription[] {
  return endpoints.map((endpoint) => subscribe(publisher(endpoint, source, post)));
}

/** What becomes due by itself. */
export function timers(command: Database): Timer[] {
  return [timeOutPayments(command)];
}

/** The relay. What handlers send goes through `command`. */
export function createRelay(
  db: Database,
  command: Database,
  publishing: Subscription[],
  options: Pick<Relay, "delayMs" | "stopping">,
): Relay {
  const told = [...subscriptions, ...handlers(command), ...publishing];
  return { db, subscriptions: told, timers: timers(command), ...options };
}

/** What the API accepts. */
function commands() {
  return new Hono<Env>()
    .route("/", catalogCommands())
    .route("/", inventoryCommands())
    .route("/", orderingCommands())
    .route("/", customers());
}

/** What the API answers. */
function queries() {
  return new Hono<Env>()
    .route("/", catalogQueries())
    .route("/", orderingQueries())
    .route("/", fulfilmentQueries());
}

/** Commands, queries or both, and what every process has for operators. */
function routes(serve: Served) {
  return new Hono<Env>()
    .route("/", serve === "queries" ? elsewhere(commands(), serve) : commands())
    .route("/", serve === "commands" ? elsewhere(queries(), serve) : queries())
    .route("/", health(serve))
    .route("/", operations());
}

/** The routes with their types, for a typed client: `hc<Routes>(url)`. */
export type Routes = ReturnType<typeof routes>;

export interface AppOptions {
  serve?: Served;
  /** Pages that only some runtimes serve, such as `/docs`. */
  pages?: Hono<Env>;
}

const INFO = {
  title: "CQRS on one Postgres",
  version: "0.1.0",
  description: "Commands change the shop, queries show it.",
};

const BODY_BYTES_MAX = 256 * 1024;

const logger = getLogger("cqrs.http");

/** The program's HTTP side: it is given the parts it works with at each request. */
export function createApp({ serve = "all", pages = new Hono() }: AppOptions = {}) {
  const api = routes(serve);
  let document: ReturnType<typeof openApi> | undefined;
  return new Hono<Env>()
    .use(requestId(), async (c, next) => {
      const startedAt = performance.now();
      c.set("caller", "anonymous");
      await next();
      logger.info("{method} {path} {status} in {ms} ms", {
        method: c.req.method,
        path: c.req.path,
        status: c.res.status,
        ms: Math.round(performance.now() - startedAt),
        requestId: c.get("requestId"),
      });
    })
    .use(limitBody(BODY_BYTES_MAX))
    .get("/openapi.json", (c) => c.json(document ??= openApi(api, INFO)))
    .route("/", pages)
    .route("/", api)
    .notFound((c) => toProblem(new NotFound(`Cannot find ${c.req.method} ${c.req.path}`), c))
    .onError(toProblem);
}
