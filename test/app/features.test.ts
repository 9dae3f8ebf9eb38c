import { beforeAll, describe, expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { listCommands, listFeatureFiles } from "../support/commands.ts";
import { listUnexplained } from "../support/constraints.ts";
import { useTestDatabase } from "../support/database.ts";
import { listForgotten } from "../support/stale-keys.ts";
import { listStreams, type Stream } from "../support/streams.ts";

const test = useTestDatabase();

let streams: Stream[];
beforeAll(async () => {
  streams = listStreams(await listCommands(await listFeatureFiles()));
});

describe("src/features", () => {
  it("has read models that know every event that may change what they show", async () => {
    expect(await listForgotten(test.owner, app.readModels, streams)).toEqual([]);
  });

  it("has an answer for every constraint that input may violate", async () => {
    expect(await listUnexplained(test.owner, streams)).toEqual([]);
  });
});
