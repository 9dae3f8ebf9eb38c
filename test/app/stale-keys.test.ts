import { expect, it } from "vitest";
import { app } from "../../src/app.ts";
import { listCommands, listFeatureFiles } from "../support/commands.ts";
import { useTestDatabase } from "../support/database.ts";
import { listForgotten } from "../support/stale-keys.ts";
import { listStreams } from "../support/streams.ts";

const test = useTestDatabase();

it("Every read model of src/app.ts knows the events that may change what is shown", async () => {
  const streams = listStreams(await listCommands(await listFeatureFiles()));
  expect(await listForgotten(test.owner, app.readModels, streams)).toEqual([]);
});
