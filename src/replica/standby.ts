import type { Database } from "../database/database.ts";

/** A copy of the primary database, kept up to date, for queries. */
export interface Standby {
  db: Database;
  /** A separate pool for looks at the replica: waiting queries must not make the replica seem away. */
  watch: Database;
  /** The database to ask when the replica cannot answer: the primary, or none. */
  fallback: "primary" | "none";
  /** Returns the result of the last look; true before the first look. */
  isThere(): boolean;
  /** Returns true if the replica answers and has the newest migration. Simultaneous calls share a look. */
  look(): Promise<boolean>;
}

/** The shortest time between two looks at an absent replica. */
const LOOK_EVERY_MS = 1_000;

/** Returns a replica, taken for present until a look says otherwise. `isMigrated` asks, and may fail. */
export function createStandby(
  { db, watch, fallback }: Pick<Standby, "db" | "watch" | "fallback">,
  isMigrated: (db: Database) => Promise<boolean>,
): Standby {
  let there = true;
  let lookedAt = -Infinity;
  let looking: Promise<boolean> | undefined;
  const look = () =>
    looking ??= isMigrated(watch).catch(() => false).then((answer) => {
      lookedAt = performance.now();
      looking = undefined;
      return there = answer;
    });
  return {
    db,
    watch,
    fallback,
    look,
    isThere() {
      // Not awaited: the next queries profit from the look.
      if (!there && performance.now() - lookedAt > LOOK_EVERY_MS) void look();
      return there;
    },
  };
}
