import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { drain } from "../../src/relay/drain.ts";
import { type ProcessManager, toHandler } from "../../src/relay/handlers/process-manager.ts";
import { retryAllParked } from "../../src/relay/handlers/parked.ts";
import { sweep } from "../../src/relay/sweep.ts";
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

  it("does once what it sends, though a newer program sends it otherwise the second time", async () => {
    const id = await aJar(test.command);
    let grams = 5;
    const relay = await relayOf("deployed", async (_event, send) => {
      await send(fillJar, { id, input: { grams: grams++ } });
    });
    await append(test, "d");
    await drain(relay, 5_000);
    const { grams: filled } = await test.command.selectFrom("write.jars").select("grams").where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(filled).toBe(5);
  });

  it("does once what it sends, though its event was parked for longer than results are kept", async () => {
    const id = await aJar(test.command);
    let isBroken = true;
    const handler = toHandler<Tested>(test.command, {
      name: "parked",
      reactions: {
        async Tested(_event, send) {
          await send(fillJar, { id, input: { grams: 5 } });
          if (isBroken) throw new Error("broken after the command");
        },
      },
    });
    const { relay, name } = await addHandler(test, handler.handle, { ...handler, attemptsMax: 1 });
    await append(test, "e");
    await drain(relay, 5_000);
    const old = sql`clock_timestamp() - interval '31 days'`;
    await sql`update write.idempotency_keys set created_at = ${old}`.execute(test.owner);
    await sql`update relay.lanes set waiting_since = ${old}, due_at = ${old}`.execute(test.owner);
    await sweep(test.relay, () => true);
    const callers = await test.owner.selectFrom("write.idempotency_keys").select("caller").distinct()
      .execute();
    expect(callers).toEqual([{ caller: name }]);

    isBroken = false;
    await retryAllParked(test.relay, { subscription: name });
    await drain(relay, 5_000);
    const { grams } = await test.command.selectFrom("write.jars").select("grams").where("id", "=", id)
      .executeTakeFirstOrThrow();
    expect(grams).toBe(5);
    await sweep(test.relay, () => true);
    expect(await test.owner.selectFrom("write.idempotency_keys").select("caller").execute()).toEqual([]);
  });
});
