import { afterEach, describe, expect, it } from "vitest";
import type { DatabaseUrls } from "../../src/config.ts";
import { readSettings } from "../../src/compose.ts";
import { start, type Started } from "../../src/process/start.ts";
import { app } from "../jars/app.ts";
import { useTestDatabase } from "../support/database.ts";

const test = useTestDatabase({ jars: true });

let started: Started | undefined;
afterEach(async () => {
  await started?.stop();
  started = undefined;
});

/** Starts a process for the role's side; the logins of all other run-time roles are refused. */
function onlyFor(role: "command" | "query", settings: Record<string, string> = {}) {
  const refused = (url: string) => Object.assign(new URL(url), { password: "wrong" }).href;
  const { command, query, relay, direct } = test.urls;
  const urls: DatabaseUrls = { ...test.urls, ...mapped({ command, query, relay, direct }, refused) };
  urls[role] = test.urls[role];
  const serve = { SERVE: role === "command" ? "commands" : "queries", RELAY: "off", PORT: "0", ...settings };
  return start(app, readSettings(serve), urls, "127.0.0.1", {
    api: true,
    relay: false,
    limits: { keepAliveMs: 1_000 },
  });
}

function mapped<Key extends string>(urls: Record<Key, string>, change: (url: string) => string) {
  const entries = Object.entries<string>(urls).map(([key, url]) => [key, change(url)]);
  return Object.fromEntries(entries) as Record<Key, string>;
}

describe("a process that serves one side only", () => {
  it.each(
    [
      { role: "command", method: "POST", status: 201 },
      { role: "query", method: "GET", status: 200 },
    ] as const,
  )("needs no login but that of its $role role", async ({ role, method, status }) => {
    started = await onlyFor(role);
    expect((await fetch(`${started.url}/ready`)).status).toBe(200);
    const answer = await fetch(`${started.url}/jars`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: method === "POST" ? JSON.stringify({ label: "Honey" }) : null,
    });
    expect(answer.status).toBe(status);
    expect(await answer.text()).not.toContain("this process serves");
  });

  it("needs the relay's to answer the operator, and does not start without", async () => {
    await expect(onlyFor("query", { OPS_TOKEN: "the-operator-of-the-tests" })).rejects.toThrow(/_relay"$/);
  });
});
