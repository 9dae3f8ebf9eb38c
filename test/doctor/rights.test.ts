import { describe, expect, it } from "vitest";
import { useTestDatabase } from "../support/database.ts";
import { ailments, ailmentsAfter, saying } from "../support/doctor.ts";

const test = useTestDatabase();
const login = (role: string) => `"${test.name}_${role}"`;

describe("the doctor", () => {
  it.each([
    ["command", "execute on function write.append"],
    ["command", "select on write.orders"],
    ["command", "insert on write.orders"],
    ["command", "usage on schema write"],
    ["query", "select on read.order_details"],
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
    ["query", "delete on read.order_details"],
    ["relay", "update on write.orders"],
  ])("notices that %s may %s", async (role, right) => {
    const [grant, revoke] = [`grant ${right} to ${login(role)}`, `revoke ${right} from ${login(role)}`];
    expect(await ailmentsAfter(test, grant, revoke)).toEqual([
      saying("warning", right.replace(" on ", " "), "does not keep commands and queries apart"),
    ]);
  });

  it.each([
    ["command", "read", "order_details"],
    ["query", "write", "orders"],
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
    const grant = `grant select on write.orders to ${login("query")}`;
    expect(await ailmentsAfter(test, grant, `revoke select on write.orders from ${login("query")}`)).toEqual(
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
