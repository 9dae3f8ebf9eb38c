import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ROLES } from "../../src/doctor/finding.ts";
import { MAY_NOT, NEEDS, type Right, toText } from "../../src/doctor/rights.ts";
import { useTestDatabase } from "../support/database.ts";
import { ailments, ailmentsAfter, saying } from "./ailments.ts";

const test = useTestDatabase({ jars: true });
const login = (role: string) => `"${test.name}_${role}"`;

describe("the doctor", () => {
  it.each([
    ["command", "execute on function write.append"],
    ["command", "select on write.jars"],
    ["command", "insert on write.jars"],
    ["command", "usage on schema write"],
    ["query", "select on read.jar_details"],
    ["query", "usage on schema read"],
    ["relay", "execute on function relay.number_events"],
    ["relay", "update on relay.checkpoints"],
    ["relay", "delete on write.outbox"],
  ])("notices that %s lacks %s", async (role, right) => {
    const [revoke, grant] = [`revoke ${right} from ${login(role)}`, `grant ${right} to ${login(role)}`];
    expect(await ailmentsAfter(test, revoke, grant)).toContainEqual(
      saying("problem", `${role} (${test.name}_${role} at`, "npm run migrate"),
    );
  });

  it.each([
    ["command", "insert on write.events"],
    ["query", "delete on read.jar_details"],
    ["relay", "update on write.jars"],
    ["relay", "execute on function write.append"],
  ])("notices that %s may %s", async (role, right) => {
    const [grant, revoke] = [`grant ${right} to ${login(role)}`, `revoke ${right} from ${login(role)}`];
    expect(await ailmentsAfter(test, grant, revoke)).toEqual([
      saying("warning", right.replace(/ on (function )?/, " "), "does not keep commands and queries apart"),
    ]);
  });

  it.each([
    ["command", "read", "jar_details"],
    ["query", "write", "jars"],
  ])("notices that %s may look into %s", async (role, schema, table) => {
    const grant = `grant usage on schema ${schema} to ${login(role)}; grant select on ${schema}.${table} to ${
      login(role)
    }`;
    const revoke = grant.replaceAll("grant ", "revoke ").replaceAll(" to ", " from ");
    expect(await ailmentsAfter(test, grant, revoke)).toEqual([
      saying("warning", `may more than it needs: select ${schema}.${table}`, `_${role}`),
    ]);
  });

  it("does not mind a right in a schema that the login cannot enter", async () => {
    const grant = `grant select on write.jars to ${login("query")}`;
    expect(await ailmentsAfter(test, grant, `revoke select on write.jars from ${login("query")}`)).toEqual(
      [],
    );
  });

  it("notices one login for everything", async () => {
    const { owner } = test.urls;
    expect(await ailments(test, { command: owner, query: owner, relay: owner, direct: owner })).toEqual(
      ["command", "query", "relay"].map((role) =>
        saying("warning", `${role} (${test.name}_owner at`, `_${role}`)
      ),
    );
  });
});

describe("the doctor's rules", () => {
  it.each(ROLES)(
    "need of the machinery what %s holds in privileges.txt, and warn of nothing held",
    async (role) => {
      const rights = await readMatrix(role);
      const needed = rights.filter(NEEDS[role]);
      const held = rights.filter((right) => right.held);
      expect(held).not.toEqual([]);
      expect(needed.filter(isMachinery).map(toText)).toEqual(held.filter(isMachinery).map(toText));
      expect(needed.filter((right) => !right.held).map(toText)).toEqual([]);
      expect(held.filter(MAY_NOT[role]).map(toText)).toEqual([]);
    },
  );
});

const SCHEMAS = ["write", "relay", "read"];
const TABLE_ACTIONS = ["select", "insert", "update", "delete", "truncate"] as const;

/** Returns the rights of a role on the objects of the three schemas in `privileges.txt`, held or not. */
async function readMatrix(role: string): Promise<Right[]> {
  const text = await readFile(new URL("../database/privileges.txt", import.meta.url), "utf8");
  const [header, ...rows] = text.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
  return rows.flatMap(([object, ...cells]) => {
    const [schema, name] = object!.split(".") as [Right["schema"], string | undefined];
    if (name === undefined || !SCHEMAS.includes(schema)) return [];
    // Every table and view may be read by a role; the other objects are functions.
    const actions = cells.some((cell) => cell.includes("select")) ? TABLE_ACTIONS : ["execute"] as const;
    const held = cells[header!.indexOf(role) - 1]!.split(" ");
    return actions.map((action) => ({ schema, name, action, held: held.includes(action) }));
  });
}

function isMachinery({ schema, name, action }: Right): boolean {
  return schema === "relay" || action === "execute" ||
    ["events", "outbox", "idempotency_keys", "freshness", "positions"].includes(name);
}
