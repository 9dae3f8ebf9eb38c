import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { readModelSubscriptions } from "../support/shop.ts";
import type { Database } from "../../../src/database/database.ts";
import { TryAgain } from "../../../src/errors.ts";
import { changePrice } from "../../../src/features/catalog/commands/change-price.ts";
import { receiveStock } from "../../../src/features/inventory/commands/receive-stock.ts";
import { drain } from "../../../src/relay/drain.ts";
import { createRelay } from "../../../src/relay/relay.ts";
import { execute } from "../../../src/write/execute.ts";
import { aProduct } from "../support/arrange.ts";
import { anybody } from "../../support/context.ts";
import { useTestDatabase } from "../../support/database.ts";
import { hold, untilBlocked } from "../../support/hold.ts";
import { settingsOf, usePrograms } from "../../support/program.ts";
import { seededRandom } from "../../support/random.ts";
import { FAULT_MS, shortOrLong } from "../../faults/support/length.ts";
import { ask, isToBeSentAgain } from "./support/load.ts";
import { judge, verify } from "./support/oracle.ts";
import { report } from "../../faults/support/report.ts";
import { installWitness, WITH_WITNESS } from "./support/witness.ts";

const WRITERS = 200;
const DELIVERIES = shortOrLong(1, 10);
const EXPECTED_RIGHT = { missed: 0, twice: 0, outOfOrder: 0 };

describe(`${WRITERS} writers on one stream`, () => {
  const database = useTestDatabase();
  const run = usePrograms();

  it("each get their turn when they try again, and none undoes another", async () => {
    const random = seededRandom("a storm of writers");
    await installWitness(database.owner);
    const program = run("start", { preload: [WITH_WITNESS], settings: settingsOf(database.urls) });
    const url = await program.printed(/Listening on (\S+)/);
    const id = await aProduct(database.command);
    let [conflicts, received] = [0, 0];
    const acknowledged: string[] = [];
    await Promise.all(Array.from({ length: WRITERS }, async () => {
      for (let delivery = 0; delivery < DELIVERIES; delivery++) {
        const [key, quantity] = [`load-${randomUUID()}`, random.between(1, 9)];
        const send = () => ask(`${url}/products/${id}/stock`, "POST", key, { quantity });
        let answer = await send();
        for (; isToBeSentAgain(answer.kind); conflicts++) {
          expect(answer.kind).toBe("409 version-conflict");
          answer = await send();
        }
        received += quantity;
        acknowledged.push(answer.eventId!);
      }
    }));

    expect(await stockOf(database.command, id)).toEqual({
      available: received,
      version: WRITERS * DELIVERIES,
    });
    const verdict = await verify(database.owner, { acknowledged, witness: true });
    await report(`${WRITERS} writers on one stream`, verdict, random, `${conflicts} × 409, sent again`);
    expect(verdict).toMatchObject(EXPECTED_RIGHT);
  }, FAULT_MS);
});

describe("a command that PostgreSQL undoes because of others", () => {
  const database = useTestDatabase();
  afterEach(() => verifyRelayed());

  it("is carried out again after a deadlock, on what the rival has done", async () => {
    const id = await aProduct(database.command, { pieces: 10 });
    let rival!: Database;
    const held = await hold(database.owner, async (trx) => {
      rival = trx;
      await sql`update write.stock set available = available + 5, version = 2 where product_id = ${id}`
        .execute(
          trx,
        );
    });
    const receiving = execute(database.command, receiveStock, { id, input: { quantity: 1 } }, anybody);
    await untilBlocked(database.owner);
    // Closes the deadlock. The command has waited longer, finds the deadlock first, and gives up.
    await appendReceived(rival, id, 1, 5);
    await held.commit();

    expect(await receiving).toMatchObject({ version: 3 });
    expect(await stockOf(database.command, id)).toEqual({ available: 16, version: 3 });
  });

  it("is carried out again after a serialization failure, and loses no update", async () => {
    const id = await aProduct(database.command);
    const strict = database.open(`${database.urls.command}?default_transaction_isolation=repeatable%20read`);
    const { rows } = await sql`show transaction_isolation`.execute(strict);
    expect(rows).toEqual([{ transaction_isolation: "repeatable read" }]);
    const held = await hold(
      database.owner,
      (trx) => sql`update write.products set name = 'Floor lamp' where id = ${id}`.execute(trx),
    );
    const changing = execute(strict, changePrice, { id, input: { priceCents: 1 } }, anybody);
    await untilBlocked(database.owner);
    await held.commit();

    expect(await changing).toMatchObject({ version: 2 });
    expect(await productOf(database.command, id)).toEqual({ name: "Floor lamp", price_cents: 1 });
  });

  it.each(["40P01", "40001"])(
    "is given up after three times (%s), with nothing changed",
    async (sqlstate) => {
      const id = await aProduct(database.command, { pieces: 10 });
      await sql.raw(`
      create sequence write.attempts;
      grant usage on sequence write.attempts to public;
      create function write.give_up() returns trigger language plpgsql as $$
      begin
        perform nextval('write.attempts');
        raise exception 'as if' using errcode = '${sqlstate}';
      end $$;
      create trigger given_up before update on write.stock execute function write.give_up()`)
        .execute(database.owner);
      const receiving = execute(database.command, receiveStock, { id, input: { quantity: 1 } }, anybody);

      await expect(receiving).rejects.toThrow(TryAgain);
      const { rows } = await sql`select last_value as attempts from write.attempts`.execute(database.owner);
      expect(rows).toEqual([{ attempts: 3 }]);
      expect(await stockOf(database.command, id)).toEqual({ available: 10, version: 1 });
      await sql.raw("drop function write.give_up cascade; drop sequence write.attempts").execute(
        database.owner,
      );
    },
  );

  async function verifyRelayed() {
    await drain(createRelay({ db: database.relay, subscriptions: readModelSubscriptions }), 5_000);
    expect(await judge(database.owner, { acknowledged: [] })).toMatchObject(EXPECTED_RIGHT);
  }
});

function appendReceived(trx: Database, id: string, expectedVersion: number, quantity: number) {
  const events = [{ id: randomUUID(), type: "StockReceived", data: { quantity }, metadata: {} }];
  return sql`select write.append(${`stock-${id}`}, ${expectedVersion}, ${
    JSON.stringify(events)
  }::text::jsonb, null)`
    .execute(trx);
}

function stockOf(db: Database, id: string) {
  return db.selectFrom("write.stock").select(["available", "version"]).where("product_id", "=", id)
    .executeTakeFirstOrThrow();
}

function productOf(db: Database, id: string) {
  return db.selectFrom("write.products").select(["name", "price_cents"]).where("id", "=", id)
    .executeTakeFirstOrThrow();
}
