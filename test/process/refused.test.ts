import { type AddressInfo, createServer } from "node:net";
import { describe, expect, inject, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import type { ProcessRooms } from "../../src/process/room.ts";
import * as rooms from "../../src/process/rooms.ts";
import { usePrograms } from "../support/program.ts";

const NOWHERE = "postgres://owner:sesame@127.0.0.1:1/jars";

describe("a start that cannot work", () => {
  const run = usePrograms();

  async function refusal(mode: string, settings: Record<string, string> = {}) {
    const program = run(mode, { settings });
    expect(await program.ended).toBe(1);
    return program.output;
  }

  it.each([
    [{ PORT: "abc" }, "PORT is not a number"],
    [{ PORT: "65536" }, "PORT is not a port"],
    [{ DATABASE_URL: "nonsense" }, "DATABASE_URL is not a postgres:// URL"],
    [{ RELAY_DATABASE_URL: NOWHERE }, "DATABASE_URL is missing, but RELAY_DATABASE_URL is set"],
    [{ RELAY_DELAY_MS: "0.5" }, "RELAY_DELAY_MS is not a whole number"],
    [{ BODY_BYTES_MAX: "64k" }, "BODY_BYTES_MAX is not a number"],
    [{ TRUST_PROXY: "10.0.0.1" }, "TRUST_PROXY is none of on, off"],
    [{ DOCS: "no" }, "DOCS is none of on, off"],
    [{ SERVE: "nothing" }, "SERVE is none of all, commands, queries"],
  ])("is for the wrong setting %o", (settings, line) => {
    expect(() => readSettings(settings)).toThrow(`Cannot start: ${line}`);
  });

  it.each([
    ["start", { OPS_TOKEN: "a" }, "OPS_TOKEN is shorter than 16 characters"],
    ["relay", {}, "DATABASE_URL is missing; EMBEDDED_POSTGRES=on starts a PostgreSQL in DATA_DIR"],
  ])("is for %s with %o, outside development", async (mode, settings, line) => {
    expect(await refusal(mode, settings)).toBe(`Cannot start: ${line}\n`);
  });

  it("says all that is wrong, a line each", async () => {
    expect(await refusal("dev", { PORT: "-1", RELAY: "maybe", LOG_LEVEL: "loud" })).toBe([
      "Cannot start: PORT is not a port\n",
      "Cannot start: LOG_LEVEL is none of trace, debug, info, warning, error, fatal\n",
      "Cannot start: RELAY is none of on, off, views, handlers\n",
    ].join(""));
  });

  it("says which modes there are", async () => {
    const optional: ProcessRooms = rooms;
    expect(await refusal("toString")).toBe(
      "Cannot run toString: choose one of dev, dev-server, start, relay, migrate, rewind" +
        (optional.doctor ? ", doctor\n" : "\n"),
    );
  });

  it.each([
    ["start", "Cannot reach the database of DATABASE_URL at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n"],
    ["relay", "Cannot reach the database of DATABASE_URL at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n"],
    ["migrate", "Cannot migrate the database: connect ECONNREFUSED 127.0.0.1:1; look at DATABASE_URL\n"],
    ["dev", "Cannot migrate the database: connect ECONNREFUSED 127.0.0.1:1; look at DATABASE_URL\n"],
  ])("says that %s cannot reach the database", async (mode, line) => {
    expect(await refusal(mode, { DATABASE_URL: NOWHERE })).toBe(line);
  });

  it("says that the password is wrong, and not which one it was", async () => {
    const url = new URL(inject("adminUrl"));
    url.password = "sesame";

    const output = await refusal("start", { DATABASE_URL: url.href });
    expect(output).toBe(
      `Cannot reach the database of DATABASE_URL at ${url.host}: password authentication failed for user "${url.username}"\n`,
    );
  });

  it("says that the port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const port = String((other.address() as AddressInfo).port);
    try {
      const settings = { DATABASE_URL: inject("adminUrl"), HOST: "127.0.0.1", PORT: port };
      expect(await refusal("start", settings)).toBe(
        `Cannot listen on 127.0.0.1:${port}: port ${port} is taken; set PORT\n`,
      );
    } finally {
      other.close();
    }
  });
});
