import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { type ProcessManager, toHandler } from "../../src/relay/handlers/process-manager.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";
import { addHandler, append, repeating } from "../support/handlers.ts";

const test = useTestDatabase({ jars: true });

type Tested = { type: "Tested"; data: Record<string, never> };

async function relayOf(name: string, Tested: NonNullable<ProcessManager<Tested>["reactions"]["Tested"]>) {
  const { handle, ...handler } = repeating(
    toHandler<Tested>(test.command, { name, reactions: { Tested } }),
    3,
  );
  return (await addHandler(test, handle, handler)).relay;
}

describe("a process manager", () => {
  it("has what it sends take effect once, however often it is told", async () => {
    const [one, other] = [await aJar(test.command), await aJar(test.command)];
    const relay = await relayOf("filling", async (_event, send) => {
      for (const id of [one, other]) await send(fillJar, { id, input: { grams: 5 } });
    });
    await append(test, "a");
    await drain(relay, 5_000);
    const jars = await test.command.selectFrom("write.jars").select("grams").execute();
    expect(jars).toEqual([{ grams: 5 }, { grams: 5 }]);
  });

  it("says of what it sends which event it came from", async () => {
    const id = await aJar(test.command);
    const relay = await relayOf("causing", async (_event, send) => {
      await send(fillJar, { id, input: { grams: 5 } });
    });
    await append(test, "b");
    await drain(relay, 5_000);
    const { metadata } = await test.command.selectFrom("write.events").select("metadata")
      .where("stream", "=", `jar-${id}`).where("type", "=", "JarFilled").executeTakeFirstOrThrow();
    const cause = await test.command.selectFrom("write.events").select("id").where("stream", "=", "test-b")
      .executeTakeFirstOrThrow();
    expect(metadata).toMatchObject({ actor: "causing", causationId: cause.id });
  });

  it("is told when the business says no, or when there is no such aggregate", async () => {
    const answers: (string | undefined)[] = [];
    const [id, nowhere] = [await aJar(test.command, { grams: 999 }), crypto.randomUUID()];
    const sealed = await aJar(test.command, { label: "sealed" });
    const relay = await relayOf("asking", async (_event, send) => {
      answers.push(await send(fillJar, { id: sealed, input: { grams: 1 } }));
      answers.push(await send(fillJar, { id: nowhere, input: { grams: 1 } }));
      answers.push(await send(fillJar, { id, input: { grams: 1 } }));
    });
    await append(test, "c");
    await drain(relay, 5_000);
    expect(answers).toEqual(Array(3).fill(["jar-sealed", "not-found", undefined]).flat());
  });
});
