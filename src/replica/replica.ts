import * as z from "zod/mini";
import { isMigrated } from "../migrated.ts";
import type { Room } from "../room.ts";
import type { Limits } from "../surroundings.ts";
import { askStandby } from "./ask.ts";
import { checkReady, reach } from "./reach.ts";
import { createStandby } from "./standby.ts";
import { replicaStatus } from "./status.ts";

const settings = z.object({
  QUERY_FALLBACK: z._default(z.enum(["primary", "none"], "is neither primary nor none"), "none"),
});

/** Short limits: a request must not wait long for the replica's sign of life. */
const WATCH: Limits = { max: 1, deadlineMs: 1_000 };

/** Queries on a streaming replica, where `QUERY_DATABASE_URL` is elsewhere. @see docs/replica.md */
export const replica: Room<z.output<typeof settings>> = {
  settings,
  open({ QUERY_FALLBACK, SERVE }, { urls, databases, openPool }) {
    const url = urls.replica;
    if (url === undefined || SERVE === "commands") return {};
    const standby = createStandby({
      db: openPool("query", url),
      watch: openPool("query", url, WATCH),
      fallback: QUERY_FALLBACK,
    }, isMigrated);
    return {
      replica: {
        ask: (ask) => askStandby(standby, databases.queries, ask),
        checkReady: () => checkReady(standby),
        reach: () => reach(standby, url),
        status: () => replicaStatus(standby.watch, databases.relay),
      },
    };
  },
};
