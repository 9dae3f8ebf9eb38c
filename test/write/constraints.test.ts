import { describe, expect, it } from "vitest";
import { CommandRejected } from "../../src/errors.ts";
import { execute } from "../../src/write/execute.ts";
import { aJar } from "../jars/arrange.ts";
import { fillJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

const tooMuch = (id: string) => ({ id, input: { grams: 996 } });

describe("a state that a constraint refuses", () => {
  it("cannot be reached, not even past the commands", async () => {
    const id = await aJar(test.command, { grams: 5 });
    const update = test.command.updateTable("write.jars").set({ grams: 1_001 }).where("id", "=", id);
    await expect(update.execute()).rejects.toMatchObject({ constraint_name: "jar_is_not_overfull" });
  });

  it("is the rejection that the aggregate names, and nothing of the command stays", async () => {
    const id = await aJar(test.command, { grams: 5 });

    const filling = execute(test.command, fillJar, tooMuch(id), { ...anybody, idempotencyKey: "k" });

    await expect(filling).rejects.toThrow(CommandRejected);
    await expect(filling).rejects.toMatchObject({
      code: "jar-overfull",
      message: "Cannot carry out FillJar: jar overfull",
    });
    await expectNothingStays(id);
  });

  it("is an error of the database when the aggregate does not name the constraint", async () => {
    const id = await aJar(test.command, { grams: 5 });
    const unnamed: typeof fillJar = { ...fillJar, aggregate: { ...fillJar.aggregate, constraints: {} } };

    const filling = execute(test.command, unnamed, tooMuch(id), { ...anybody, idempotencyKey: "k" });

    await expect(filling).rejects.not.toThrow(CommandRejected);
    await expect(filling).rejects.toMatchObject({ constraint_name: "jar_is_not_overfull" });
    await expectNothingStays(id);
  });
});

/** Expects a jar of 5 grams, as before the command. */
async function expectNothingStays(id: string): Promise<void> {
  expect(await fillJar.aggregate.load(test.command, id).executeTakeFirst())
    .toEqual({ label: "Honey", grams: 5, version: 2 });
  const events = await test.command.selectFrom("write.events").select("version")
    .where("stream", "=", `jar-${id}`).orderBy("version").execute();
  expect(events).toEqual([{ version: 1 }, { version: 2 }]);
  expect(await test.command.selectFrom("write.idempotency_keys").select("key").execute()).toEqual([]);
}
