import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { createHttp } from "../../src/compose.ts";
import { app as jars } from "../jars/app.ts";
import { newJar } from "../jars/http.ts";
import { OPS_TOKEN, toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();
const fill = `/jars/${randomUUID()}/fill`;
const honey = JSON.stringify({ label: "Honey" });

describe("An unknown route", () => {
  it.each([
    ["GET", "/nowhere"],
    ["GET", "/jars/"],
    ["GET", "/Jars"],
    ["DELETE", "/jar"],
    ["GET", "/docs/package.json"],
    ["GET", "/docs/..%2f..%2fpackage.json"],
  ])("is a problem: %s %s", async (method, path) => {
    expectProblem(await toAnswer(await app.fetch(path, { method })), 404, "not-found");
  });
});

describe("A body that is not JSON", () => {
  it.each([
    "",
    " ",
    "{",
    "nul",
    `{"label":"x",}`,
    "{'label':1}",
    "NaN",
    `{"a":1} {}`,
    "/* */ {}",
    `"\u0001"`,
  ])(
    "is a problem: %j",
    async (text) => {
      expectProblem(await app.post("/jars", text), 400, "invalid-input");
    },
  );

  it.each(["[]", "null", "1", `"text"`, "true"])("is a problem when it is no object: %s", async (text) => {
    expectProblem(await app.post("/jars", text), 400, "invalid-input", ["#"]);
  });

  it("is a problem when there is none", async () => {
    const answer = await app.post("/jars");
    expectProblem(answer, 400, "invalid-input", ["#/label"]);
  });
});

describe("An input of the wrong shape", () => {
  it.each<[string, unknown, Record<string, string>]>([
    ["/jars", {}, { "#/label": "Invalid input: expected string, received undefined" }],
    ["/jars", { label: " ", colour: "red", lid: 1 }, {
      "#/label": "Too small: expected string to have >=1 characters",
      "#": 'Unrecognized keys: "colour", "lid"',
    }],
    ["/jars", { label: "x".repeat(51) }, { "#/label": "Too big: expected string to have <=50 characters" }],
    [fill, { grams: 1.5 }, { "#/grams": "Invalid input: expected int, received number" }],
    [fill, { grams: -1 }, { "#/grams": "Too small: expected number to be >=0" }],
  ])("is told what is wrong with it, in words: %s %j", async (path, input, expected) => {
    const answer = await app.post(path, input);
    expectProblem(answer, 400, "invalid-input", Object.keys(expected));
    const told = answer.body.errors.map(({ pointer, detail }: Record<string, string>) => [pointer, detail]);
    expect(Object.fromEntries(told)).toEqual(expected);
  });

  it("is told so of a query, too", async () => {
    const { body } = await app.get(`/jars/${randomUUID()}?consistency=lost`);
    expect(body.errors).toEqual([{
      pointer: "#/consistency",
      detail: 'Invalid option: expected one of "eventual"|"strong"',
    }]);
  });
});

describe("A content type", () => {
  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "APPLICATION/JSON",
    "application/merge-patch+json",
  ])(
    "is taken as JSON: %s",
    async (type) => {
      expect((await app.post("/jars", honey, { "content-type": type })).status).toBe(201);
    },
  );

  it.each([
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/jsonp",
    "",
  ])(
    "is a problem when it is another: %j",
    async (type) => {
      expectProblem(
        await app.post("/jars", honey, { "content-type": type }),
        415,
        "unsupported-media-type",
      );
    },
  );

  it("is a problem when it is missing", async () => {
    const body = new TextEncoder().encode(honey);
    expectProblem(
      await toAnswer(await app.fetch("/jars", { method: "POST", body })),
      415,
      "unsupported-media-type",
    );
  });
});

describe("The operator's routes", () => {
  const operate = (authorization?: string) =>
    app.get("/ops/relay", authorization === undefined ? {} : { authorization });

  it.each([
    undefined,
    "",
    "Bearer wrong",
    `Bearer ${OPS_TOKEN.slice(0, -1)}`,
    `Bearer ${OPS_TOKEN}2`,
    "Bearer",
    "Basic b3A6b3A=",
    OPS_TOKEN,
    "Bearer não",
  ])(
    "answer 401 to %s",
    async (authorization) => {
      const answer = await operate(authorization);
      expectProblem(answer, 401, "unauthorized");
      expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer/);
    },
  );

  it("answer 401 to everybody when no token is set", async () => {
    const parts = {
      databases: { commands: app.database.command, queries: app.database.query },
      relay: app.relay,
    };
    const closed = async (path: string, init: RequestInit) =>
      await toAnswer(await createHttp(jars).request(path, init, parts));
    for (const authorization of ["", "Bearer ", "Bearer undefined", `Bearer ${OPS_TOKEN}`]) {
      for (const path of ["/ops/relay", "/ops/nowhere"]) {
        expectProblem(
          await closed(path, { headers: { authorization } }),
          401,
          "unauthorized",
        );
      }
      const draining = await closed("/ops/relay/drain", { method: "POST", headers: { authorization } });
      expectProblem(draining, 401, "unauthorized");
    }
  });

  it("answer 404 to the operator who asks for what there is not", async () => {
    expectProblem(await app.get("/ops/nowhere", { authorization: `Bearer ${OPS_TOKEN}` }), 404, "not-found");
  });
});

describe("A statement that PostgreSQL undid because of others", () => {
  it.each(["40P01", "40001"])("may be sent again: %s", async (sqlstate) => {
    await sql.raw(`
      create function write.give_up() returns trigger language plpgsql as $$
      begin
        raise exception 'as if' using errcode = '${sqlstate}';
      end $$;
      create trigger given_up before insert on write.jars execute function write.give_up()`)
      .execute(app.database.owner);
    expectProblem(await app.post("/jars", honey), 503, "try-again");
    await sql.raw("drop function write.give_up cascade").execute(app.database.owner);
  });
});

describe("An id that is taken", () => {
  it("is a problem that says nothing of the stream and of what is there", async () => {
    const { id } = await newJar(app);
    await app.post(`/jars/${id}/fill`, { grams: 7 });
    const answer = await app.post("/jars", { id, label: "Mine" });
    expectProblem(answer, 409, "version-conflict");
    const { instance: _, ...said } = answer.body;
    expect(JSON.stringify(said)).not.toMatch(new RegExp(`${id}|jar|stream|version[ :]|[12]\\b`));
  });
});
