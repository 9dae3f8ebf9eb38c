import { sql } from "kysely";
import postgres from "postgres";
import { afterAll, beforeAll } from "vitest";
import type { Database } from "../../src/database/database.ts";
import type { TestDatabase } from "./database.ts";
import { countStatements } from "./handlers.ts";
import { useProxy } from "./proxy.ts";

/** The first runs are not counted: PostgreSQL makes the plan for all values after five runs. */
const RUNS_BEFORE = 10;
const RUNS = 20;

export interface Costs {
  roundTrips: number;
  statements: number;
  rowsWritten: number;
  /** Bytes between the program and the server, in both directions. */
  wireBytes: number;
  /** Bytes of the write-ahead log. */
  walBytes: number;
  /** Pages looked at, also pages in memory. */
  pages: number;
}

export type Work = (db: Database, id: string) => Promise<unknown>;

/**
 * Returns a function that counts the costs of a piece of work, without a clock: the average of twenty runs on an
 * open connection of a role. `arrange` makes something to work on before each run, uncounted.
 */
export function useCosts(test: TestDatabase, adminUrl: () => string) {
  const proxy = useProxy(() => test.urls.owner);
  let admin: postgres.Sql;
  beforeAll(() => {
    admin = postgres(adminUrl(), { max: 1, fetch_types: false, onnotice: () => {} });
  });
  afterAll(() => admin.end());

  return async (
    role: "command" | "query" | "relay",
    arrange: () => Promise<string>,
    work: Work,
  ): Promise<Costs> => {
    const { db, count } = countStatements(test.open(proxy.url(test.urls[role]), { max: 1 }));
    const onWire = () => ({ roundTrips: proxy.roundTrips, statements: count(), wireBytes: proxy.bytes });
    // A session reports its work now and then, unless asked.
    const reported = async () => {
      await sql`select pg_stat_force_next_flush()`.execute(db);
      return await countOnServer(admin, test.name);
    };
    const runs: Costs[] = [];
    for (let run = 0; run < RUNS_BEFORE + RUNS; run++) {
      const id = await arrange();
      await sql`select pg_stat_force_next_flush()`.execute(test.command);
      // The reports have costs, too.
      const [first, second] = [await reported(), await reported()];
      const wire = onWire();
      await work(db, id);
      const wireCosts = minus(onWire(), wire);
      const serverCosts = minus(minus(await reported(), second), minus(second, first));
      runs.push({ ...wireCosts, ...serverCosts });
    }
    return averageOf(runs.slice(RUNS_BEFORE));
  };
}

async function countOnServer(admin: postgres.Sql, database: string) {
  const [row] = await admin<{ rows: string; pages: string; wal: string }[]>`
    select tup_inserted + tup_updated + tup_deleted as rows, blks_hit + blks_read as pages,
      pg_current_wal_insert_lsn() - '0/0' as wal
    from pg_stat_database where datname = ${database}`;
  return { rowsWritten: Number(row!.rows), walBytes: Number(row!.wal), pages: Number(row!.pages) };
}

function minus<C extends object>(after: C, before: C): C {
  const counts = Object.entries<number>(after as Record<string, number>);
  return Object.fromEntries(
    counts.map(([name, count]) => [name, count - (before as Record<string, number>)[name]!]),
  ) as C;
}

/** Returns the averages, to a tenth. */
function averageOf(runs: Costs[]): Costs {
  const averages = (Object.keys(runs[0]!) as (keyof Costs)[]).map((name) => {
    const sum = runs.reduce((sum, costs) => sum + costs[name], 0);
    return [name, Math.round(10 * sum / runs.length) / 10] as const;
  });
  return Object.fromEntries(averages) as unknown as Costs;
}
