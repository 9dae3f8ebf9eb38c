import { afterEach, describe, expect, inject, it } from "vitest";
import { type Pooler, withPooler } from "../../src/database/pooler.ts";
import { useTestDatabase } from "../support/database.ts";
import { ailments } from "./ailments.ts";
import {
  DROPS_STARTUP_PARAMETERS,
  findPgBouncer,
  keepsPrepared,
  type PgBouncer,
  type PoolMode,
  startPgBouncer,
  throughPort,
} from "../support/pgbouncer.ts";

const pgBouncer = await findPgBouncer();
if (!pgBouncer) console.log("skipped: the doctor behind PgBouncer, there is no PgBouncer");

const keeps = pgBouncer !== undefined && await keepsPrepared(pgBouncer);

describe.skipIf(!pgBouncer)("the doctor, behind PgBouncer,", () => {
  const test = useTestDatabase();
  let pooling: PgBouncer | undefined;
  afterEach(async () => {
    await pooling?.stop();
    pooling = undefined;
  });

  async function examined(mode: PoolMode, said: Pooler, more = "") {
    pooling = await startPgBouncer(pgBouncer!, inject("adminUrl"), mode, more);
    const { port } = pooling;
    const pooled = (url: string) => withPooler(throughPort(url, port), said);
    const { command, query, relay } = test.urls;
    return await ailments(test, { command: pooled(command), query: pooled(query), relay: pooled(relay) });
  }

  it("finds nothing wrong when it is said that transactions are pooled", async () => {
    expect(await examined("transaction", "transaction")).toEqual([]);
  });

  it("notices a pooler that refuses what only a session can keep", async () => {
    const found = await examined("transaction", "none");
    expect(found).toHaveLength(3);
    for (const { level, what, advice } of found) {
      expect(level).toBe("problem");
      expect(what).toContain("unsupported startup parameter");
      expect(advice).toContain("set DATABASE_POOLER=transaction");
    }
  });

  it("notices statements that were prepared in another session", async () => {
    const found = await examined(
      "transaction",
      "transaction-prepared",
      keeps ? "max_prepared_statements = 0\n" : "",
    );
    expect(found).toHaveLength(3);
    for (const { level, what, advice } of found) {
      expect(level).toBe("problem");
      expect(what).toMatch(/Statements fail that .* has prepared: prepared statement .* does not exist/);
      expect(advice).toBe("Set DATABASE_POOLER=transaction");
    }
  });

  it.skipIf(!keeps)(
    "notices a pooler that no setting tells of, though it keeps what is prepared",
    async () => {
      const found = await examined("transaction-prepared", "none", DROPS_STARTUP_PARAMETERS);
      expect(found).toHaveLength(3);
      for (const { level, what, advice } of found) {
        expect(level).toBe("warning");
        expect(what).toContain("no setting says so");
        expect(advice).toBe("Set DATABASE_POOLER=transaction");
      }
    },
  );

  it("finds nothing wrong with sessions that clients keep", async () => {
    expect(await examined("session", "none", DROPS_STARTUP_PARAMETERS)).toEqual([]);
  });
});
