import { Hono } from "hono";
import type { App } from "./compose.ts";
import type { Settings } from "./config.ts";
import type { Database } from "./database/database.ts";
import { catalogCommands } from "./features/catalog/commands/routes.ts";
import { productCatalog } from "./features/catalog/queries/product-catalog.ts";
import { catalogQueries } from "./features/catalog/queries/routes.ts";
import { customers } from "./features/customers/routes.ts";
import { fulfilment } from "./features/fulfilment/process-manager.ts";
import { orderProgress } from "./features/fulfilment/queries/order-progress.ts";
import { fulfilmentQueries } from "./features/fulfilment/queries/routes.ts";
import { inventoryCommands } from "./features/inventory/commands/routes.ts";
import { orderingCommands } from "./features/ordering/commands/routes.ts";
import { fulfilmentQueue } from "./features/ordering/queries/fulfilment-queue.ts";
import { orderDetails } from "./features/ordering/queries/order-details.ts";
import { orderingQueries } from "./features/ordering/queries/routes.ts";
import { salesByDay } from "./features/ordering/queries/sales-by-day.ts";
import { collectPayments, timeOutPayments } from "./features/payments/collect-payments.ts";
import { sampleGateway } from "./features/payments/sample-gateway.ts";
import { type PaymentSettings, paymentSettings } from "./features/payments/settings.ts";
import type { Env } from "./http/env.ts";
import { toHandler } from "./relay/handlers/process-manager.ts";

/** The heading of the API's documentation. */
const info = {
  title: "CQRS on one Postgres",
  version: "0.1.0",
  description: "Commands change the shop, queries show it.",
};

/** The commands accepted by the API. */
const commands = () =>
  new Hono<Env>()
    .route("/", catalogCommands())
    .route("/", inventoryCommands())
    .route("/", orderingCommands())
    .route("/", customers());

/** The queries answered by the API. */
const queries = () =>
  new Hono<Env>()
    .route("/", catalogQueries())
    .route("/", orderingQueries())
    .route("/", fulfilmentQueries());

/** The views for queries, kept fresh by the relay. */
const readModels = [orderDetails, productCatalog, fulfilmentQueue, salesByDay, orderProgress];

/** The handlers that act on events, by commands through `db`. */
const handlers = (db: Database) => [toHandler(db, fulfilment), collectPayments(db, sampleGateway(db))];

/** The timers: work that the clock makes due. */
const timers = (db: Database, settings?: Partial<Settings & PaymentSettings>) => [
  timeOutPayments(db, settings?.PAYMENT_ASK_WITHIN_MS),
];

/** The table of contents: everything the program accepts, answers and subscribes to. */
export const app = {
  info,
  commands,
  queries,
  readModels,
  handlers,
  timers,
  settings: paymentSettings,
} satisfies App;
