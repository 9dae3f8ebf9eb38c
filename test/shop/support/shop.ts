import { app } from "../../../src/app.ts";
import { subscribeReadModel } from "../../../src/read/read-model.ts";
import type { Subscription } from "../../../src/relay/subscription.ts";
import { type TestApp, useAppOn } from "../../support/app.ts";
import { useTestDatabase } from "../../support/database.ts";

/** The subscriptions of the shop's read models. */
export const readModelSubscriptions: Subscription[] = app.readModels.map(subscribeReadModel);

/** Serves the shop on a new database, with a login for each role. Only `drained` relays. */
export function useShopApp(): TestApp {
  return useAppOn(useTestDatabase(), app, "src");
}
