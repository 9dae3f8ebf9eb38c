import { describe, expect, it } from "vitest";
import { configureLogging, type LogRecord } from "../../src/logging.ts";
import { OPS_TOKEN, useTestApp } from "../support/app.ts";
import { runtime } from "../support/runtime.ts";
import { expectProblem } from "../support/problem.ts";
import { until } from "../support/until.ts";

const TRIES = 1_000;
const TRIES_MAX = 10;

const app = useTestApp();

const operate = (token: string) => app.get("/ops/relay", { authorization: `Bearer ${token}` });

describe("Wrong operator's tokens", () => {
  it("are looked at ten times a second, and are a warning each", async () => {
    const records: LogRecord[] = [];
    configureLogging("warning", (record) => void records.push(record));
    const startedAt = performance.now();
    const answers = await Promise.all(Array.from({ length: TRIES }, (_, index) => operate(`guess-${index}`)));
    const seconds = Math.floor((performance.now() - startedAt) / 1_000) + 2;
    configureLogging("fatal", () => {});

    const wrong = answers.filter(({ status }) => status === 401);
    expect(wrong.length).toBeGreaterThanOrEqual(TRIES_MAX);
    expect(wrong.length).toBeLessThanOrEqual(TRIES_MAX * seconds);
    const others = answers.filter(({ status }) => status !== 401);
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([429]));
    expectProblem(others[0]!, 429, "too-many-requests");
    if (!runtime) {
      expect(records).toHaveLength(wrong.length);
      expect(records[0]).toMatchObject({ level: "warn" });
      expect(JSON.stringify(records)).not.toContain("guess-");
    }
  });

  it("do not keep the operator out for longer than a second, and right ones do not count", async () => {
    await until("the second is over", async () => (await operate(OPS_TOKEN)).status === 200, 3_000);
    const answers = await Promise.all(Array.from({ length: 5 * TRIES_MAX }, () => operate(OPS_TOKEN)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});
