import { sql } from "kysely";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listCommands } from "../support/commands.ts";
import { listUnexplained } from "../support/constraints.ts";
import { useTestDatabase } from "../support/database.ts";
import { listStreams, type Stream } from "../support/streams.ts";

const test = useTestDatabase({ jars: true });

let streams: Stream[];
beforeAll(async () => {
  streams = listStreams(await listCommands(["test/jars/jar.ts"]));
  await change("create table write.shelves (id uuid primary key)");
});
beforeEach(() => change("alter table write.jars drop constraint if exists added"));

const change = (text: string) => sql.raw(text).execute(test.owner);

/** Lists what is unexplained in the table of the jars. */
const unexplained = (given = streams) =>
  listUnexplained(test.owner, given, (table) => table === "write.jars");

describe("a constraint of the write tables", () => {
  it("has an answer in the jars", async () => {
    expect(await unexplained()).toEqual([]);
  });

  it.each([
    ["a reference", "foreign key (id) references write.shelves"],
    ["a key", "unique (label)"],
    ["a check", "check (grams <> 13)"],
  ])("is found out without an answer: %s", async (_, definition) => {
    await change(`alter table write.jars add constraint added ${definition}`);
    expect(await unexplained()).toEqual([`added: not in the constraints of the aggregate "jar"`]);
    await change("comment on constraint added on write.jars is 'nobody gives such input'");
    expect(await unexplained()).toEqual([]);
  });

  it("is found out as a unique index", async () => {
    await change("create unique index jars_for_label_idx on write.jars (label)");
    expect(await unexplained()).toEqual([
      `jars_for_label_idx: not in the constraints of the aggregate "jar"`,
    ]);
    await change("drop index write.jars_for_label_idx");
  });

  it("is found out when it is misspelt", async () => {
    const [jar] = streams;
    const constraints = { jar_is_not_overful: "jar-overfull" };
    expect(await unexplained([{ ...jar!, aggregate: { ...jar!.aggregate, constraints } }])).toEqual([
      `jar_is_not_overfull: not in the constraints of the aggregate "jar"`,
      `jar_is_not_overful: in the constraints of the aggregate "jar", but in no table`,
    ]);
  });
});
