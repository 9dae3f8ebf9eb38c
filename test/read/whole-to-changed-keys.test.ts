import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { type ReadModel, subscribeReadModel } from "../../src/read/read-model.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay } from "../../src/relay/relay.ts";
import type { RecordedEvent } from "../../src/write/event.ts";
import { aJar } from "../jars/arrange.ts";
import type { JarEvent } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

type JarOpened = JarEvent & { type: "JarOpened" };

const jarsByLabel = {
  name: "jars_by_label",
  refresh: "whole",
  staleKeys: { JarOpened: (event) => [(event as RecordedEvent<JarOpened>).data.label] },
} as const satisfies ReadModel<JarEvent["type"]>;

const FIRST = `
  create view read.jars_by_label_source as select label, count(*) as jars from write.jars group by label;
  call read.add_model('jars_by_label', key => 'label', refresh => 'whole')`;

const GROWN = `
  drop materialized view read.jars_by_label;
  call read.add_model('jars_by_label', key => 'label')`;

beforeAll(() => migrate(FIRST));

describe("a read model", () => {
  it("begins with a materialized view and goes on with a table, by one migration and one line", async () => {
    await aJar(test.command, { label: "Honey" });
    await drainInto(jarsByLabel);
    expect(await shown()).toEqual([{ label: "Honey", jars: 1 }]);

    await aJar(test.command, { label: "Plums" });
    await migrate(GROWN);
    await aJar(test.command, { label: "Honey" });
    await drainInto({ ...jarsByLabel, refresh: "changed keys" });
    expect(await shown()).toEqual([{ label: "Honey", jars: 2 }, { label: "Plums", jars: 1 }]);
  });
});

async function migrate(text: string): Promise<void> {
  await test.owner.transaction().execute((trx) => sql.raw(text).execute(trx));
}

function drainInto(model: ReadModel) {
  return drain(createRelay({ db: test.relay, subscriptions: [subscribeReadModel(model)] }), 5_000);
}

async function shown(): Promise<unknown[]> {
  const { rows } = await sql`select label, jars from read.jars_by_label order by label`.execute(test.query);
  return rows;
}
