import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { CommandInProgress, TryAgain } from "../../src/errors.ts";
import { execute } from "../../src/write/execute.ts";
import { inTurn, shareTurns } from "../../src/write/turns.ts";
import { fillJar, openJar } from "../jars/jar.ts";
import { anybody } from "../support/context.ts";
import { hold, untilBlocked } from "../support/hold.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

describe("commands for one stream in one process", () => {
  it("cost no version conflict: 200 writers, and each finds the work of the one before", async () => {
    const { id } = await execute(test.command, openJar, { input: { label: "Honey" } }, anybody);
    let statements = 0;
    const counted = test.command.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult({ result }) {
        statements++;
        return Promise.resolve(result);
      },
    });
    const results = await Promise.all(
      Array.from({ length: 200 }, () => execute(counted, fillJar, { id, input: { grams: 1 } }, anybody)),
    );
    expect(results.map(({ version }) => version)).toEqual(
      Array.from({ length: 200 }, (_, place) => place + 2),
    );
    // One to load and one to save: nothing was tried again.
    expect(statements).toBe(400);
  }, 60_000);

  it("are carried out in the order in which they came, and others meanwhile", async () => {
    const order: string[] = [];
    let release = () => {};
    const first = inTurn(
      test.command,
      "a",
      undefined,
      () => new Promise<void>((resolve) => release = resolve),
    );
    const rest = ["b", "c", "d"].map((name) =>
      inTurn(test.command, "a", undefined, () => Promise.resolve(order.push(name)))
    );
    await inTurn(test.command, "other", undefined, () => Promise.resolve(order.push("other")));
    release();
    await Promise.all([first, ...rest]);
    expect(order).toEqual(["other", "b", "c", "d"]);
  });

  it("take turns across the pools of a process", async () => {
    const [one, other] = [test.open(test.urls.command), test.open(test.urls.command)];
    shareTurns(one, other);
    let release = () => {};
    let isDone = false;
    const first = inTurn(one, "a", undefined, () => new Promise<void>((resolve) => release = resolve));
    const second = inTurn(other, "a", undefined, () => Promise.resolve(isDone = true));
    await inTurn(other, "b", undefined, () => Promise.resolve());
    expect(isDone).toBe(false);
    release();
    await Promise.all([first, second]);
    expect(isDone).toBe(true);
  });

  it("with the key of one being saved are refused at once, and are answered from its result later", async () => {
    const { id } = await execute(test.command, openJar, { input: { label: "Plums" } }, anybody);
    const gate = await hold(
      test.owner,
      (trx) => sql`lock table write.idempotency_keys in exclusive mode`.execute(trx),
    );
    const send = () =>
      execute(test.command, fillJar, { id, input: { grams: 1 } }, { ...anybody, idempotencyKey: "again" });
    const first = send();
    await untilBlocked(test.owner);
    await expect(send()).rejects.toThrow(CommandInProgress);
    await gate.commit();
    const result = await first;
    expect(await Promise.all([send(), send()])).toEqual([result, result]);
  });

  it("go on after one that failed", async () => {
    await expect(inTurn(test.command, "a", undefined, () => Promise.reject(new Error("no")))).rejects.toThrow(
      "no",
    );
    expect(await inTurn(test.command, "a", undefined, () => Promise.resolve("yes"))).toBe("yes");
  });

  it("wait no longer than a command may take, and are not carried out afterwards", async () => {
    let release = () => {};
    const first = inTurn(
      test.command,
      "a",
      undefined,
      () => new Promise<void>((resolve) => release = resolve),
    );
    let isDone = false;
    await expect(inTurn(test.command, "a", undefined, () => Promise.resolve(isDone = true))).rejects.toThrow(
      TryAgain,
    );
    const third = inTurn(test.command, "a", undefined, () => Promise.resolve("third"));
    release();
    await first;
    expect(await third).toBe("third");
    expect(isDone).toBe(false);
  });

  it("are refused at once when a thousand wait already", async () => {
    let release = () => {};
    const first = inTurn(
      test.command,
      "a",
      undefined,
      () => new Promise<void>((resolve) => release = resolve),
    );
    const waiting = Array.from(
      { length: 1_000 },
      () => inTurn(test.command, "a", undefined, () => Promise.resolve()),
    );
    await expect(inTurn(test.command, "a", undefined, () => Promise.resolve())).rejects.toThrow(
      "1000 others wait",
    );
    release();
    await Promise.all([first, ...waiting]);
    expect(await inTurn(test.command, "a", undefined, () => Promise.resolve("free"))).toBe("free");
  });
});
