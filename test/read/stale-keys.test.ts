import { sql } from "kysely";
import { beforeAll, describe, expect, it } from "vitest";
import { itself, type ReadModel } from "../../src/read/read-model.ts";
import { app } from "../jars/app.ts";
import { listCommands } from "../support/commands.ts";
import { useTestDatabase } from "../support/database.ts";
import { listForgotten } from "../support/stale-keys.ts";
import { listStreams, type Stream } from "../support/streams.ts";

const test = useTestDatabase({ jars: true });

let streams: Stream[];
beforeAll(async () => {
  streams = listStreams(await listCommands(["test/jars/jar.ts"]));
});

const forgottenBy = (name: string, ...types: string[]) => {
  const staleKeys = Object.fromEntries(types.map((type) => [type, itself]));
  return listForgotten(test.owner, [{ name, refresh: "whole", staleKeys } satisfies ReadModel], streams);
};

async function define(name: string, definition: string): Promise<void> {
  await sql.raw(`create view read.${name}_source as ${definition}`).execute(test.owner);
}

describe("the stale keys of a read model", () => {
  it("are complete in each read model of the jars", async () => {
    expect(streams.map(({ eventTypes }) => eventTypes)).toEqual([["JarOpened", "JarFilled"]]);
    expect(await listForgotten(test.owner, app.readModels, streams)).toEqual([]);
  });

  it("would be found out without a type of event", async () => {
    expect(await forgottenBy("jar_details", "JarOpened")).toEqual([
      "jar_details lacks JarFilled, which may change write.jars (grams, label, version)",
    ]);
  });

  it("would be found out behind another view", async () => {
    await define("full_jars", "select jar_id from read.jar_details_source where grams = 1000");
    expect(await forgottenBy("full_jars", "JarOpened")).toEqual([
      "full_jars lacks JarFilled, which may change write.jars (grams, label, version)",
    ]);
  });

  it("need no type of event that changes nothing in the definition, but something has to tell of new rows", async () => {
    await define("ids", "select id from write.jars");
    expect(await forgottenBy("ids", "JarOpened")).toEqual([]);
    expect(await forgottenBy("ids")).toEqual([
      "ids lacks JarOpened, which may change write.jars (new rows)",
      "ids lacks JarFilled, which may change write.jars (new rows)",
    ]);
  });

  it("cannot help a definition over a table without events", async () => {
    await sql`create table write.lids (id uuid primary key, colour text)`.execute(test.owner);
    await define("colours", "select colour, count(*) as lids from write.lids group by colour");
    expect(await forgottenBy("colours", "JarOpened", "JarFilled")).toEqual([
      "colours reads write.lids, and no event tells of a change there",
    ]);
  });
});
