import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { DatabaseUnavailable } from "../../src/errors.ts";
import { numberEvents } from "../../src/relay/number.ts";
import { drain } from "../../src/relay/drain.ts";
import { listParked, retryParked } from "../../src/relay/handlers/parked.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, makeDue } from "../support/handlers.ts";

const test = useTestDatabase();

describe("an event that failed", () => {
  it("keeps nobody busy while it waits behind another", async () => {
    const { relay } = await addHandler(test, () => Promise.reject(new Error("no")), { attemptsMax: 2 });
    for (const stream of ["n", "n"]) await append(test, stream);
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    expect(await listParked(test.relay, 0, 10)).toMatchObject([{ stream: "test-n", waiting: 1 }]);
    const { checkpoints } = await numberEvents(test.relay, 10);
    expect(checkpoints.filter(({ hasRetries }) => hasRetries)).toEqual([]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("stays parked no longer than the operator wants, also when the database is away", async () => {
    let error: Error = new Error("no");
    const { name, relay } = await addHandler(test, () => Promise.reject(error), { attemptsMax: 2 });
    await append(test, "o");
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    error = new DatabaseUnavailable("away");
    await retryParked(test.relay, { subscription: name });
    await drainWhatIsDue(relay);
    expect(await setAside()).toMatchObject([{
      stream: "test-o",
      attempts: 2,
      last_error: "away",
      parked_at: null,
    }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("may say why in any characters", async () => {
    const { relay } = await addHandler(test, () => Promise.reject(new Error("a\0b\ud800")));
    await append(test, "p");
    await drain(relay, 5_000);
    expect(await setAside()).toMatchObject([{ last_error: "ab\ufffd" }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });

  it("is parked when its statements take too long every time", async () => {
    const { relay } = await addHandler(test, async () => {
      await test.command.transaction().execute(async (trx) => {
        await sql`set local statement_timeout = 1`.execute(trx);
        await sql`select pg_sleep(1)`.execute(trx);
      });
    }, { attemptsMax: 2 });
    await append(test, "q");
    for (let round = 0; round < 3; round++) await drainWhatIsDue(relay);
    expect(await listParked(test.relay, 0, 10)).toMatchObject([{ stream: "test-q" }]);
    await sql`delete from relay.retries`.execute(test.owner);
  });
});

async function drainWhatIsDue(relay: Parameters<typeof drain>[0]): Promise<void> {
  await makeDue(test);
  await drain(relay, 5_000);
}

async function setAside() {
  return await test.owner.selectFrom("relay.retries").select([
    "stream",
    "attempts",
    "last_error",
    "parked_at",
  ])
    .orderBy("position").execute();
}
