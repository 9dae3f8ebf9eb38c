import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { itself, type ReadModel, subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar, jarDetails, type JarEvent } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

/** The jars to be filled. */
const emptyJars = {
  name: "empty_jars",
  refresh: "changed keys",
  staleKeys: { JarOpened: itself, JarFilled: itself },
} as const satisfies ReadModel<JarEvent["type"]>;

const subscriptions = [jarDetails, emptyJars].map(subscribeReadModel);
const drainAll = () => drain(createRelay({ db: test.relay, subscriptions }), 5_000);

beforeAll(async () => {
  await sql.raw(`
    create view read.empty_jars_source as select id as jar_id, label from write.jars where grams = 0;
    call read.add_model('empty_jars', key => 'jar_id')`).execute(test.owner);
});

describe("a read model that is refreshed by changed keys", () => {
  it("forgets what its definition no longer shows", async () => {
    const [filled, waiting] = [await aJar(test.command), await aJar(test.command)];
    await drainAll();
    expect(await listEmpty()).toEqual([filled, waiting]);

    await execute(test.command, fillJar, { id: filled, input: { grams: 5 } }, anybody);
    await drainAll();
    expect(await listEmpty()).toEqual([waiting]);
  });

  it("does not write rows that have not changed", async () => {
    const before = await rowVersions();
    expect(before).toHaveLength(2);
    await test.relay.updateTable("relay.checkpoints").set({ position: 0 }).execute();
    expect((await drainAll()).handled).toBeGreaterThan(0);
    expect(await rowVersions()).toEqual(before);
  });
});

/** Returns the ids, in the order of opening: ids are in the order of time. */
async function listEmpty(): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`select jar_id as id from read.empty_jars order by 1`.execute(
    test.query,
  );
  return rows.map(({ id }) => id);
}

function rowVersions() {
  return test.owner.selectFrom("read.jar_details").select(["jar_id", "xmin" as "version"]).orderBy(
    "jar_id",
  ).execute();
}
