import { sql } from "kysely";
import { expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { rewind } from "../../src/relay/rewind.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, listLanes, nameOf } from "../support/handlers.ts";

const test = useTestDatabase();

it("A rewind takes from the lanes what the restored copy does not have, and the rest is handled", async () => {
  const told: string[] = [];
  const { name, relay } = await addHandler(test, (event) => void told.push(nameOf(event)));
  for (const stream of ["a", "a", "b"]) await append(test, stream);
  await drain(relay, 5_000);
  told.length = 0;
  await sql`insert into relay.lanes (subscription, stream, next_version, last_version, state, due_at, waiting_since)
    values (${name}, 'test-a', 2, 5, 'resting', now(), now()), (${name}, 'test-b', 2, 3, 'parked', now(), now())`
    .execute(test.owner);
  await sql`update relay.checkpoints set position = position + 1000 where subscription = ${name}`.execute(
    test.owner,
  );

  expect(await rewind(test.owner)).toMatchObject([{ subscription: name }]);
  expect(await listLanes(test)).toMatchObject([{ stream: "test-a", next_version: 2, last_version: 2 }]);
  await drain(relay, 5_000);
  expect(told).toEqual(["a2"]);
  expect(await listLanes(test)).toEqual([]);
});
