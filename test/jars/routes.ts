import { Hono } from "hono";
import * as z from "zod/mini";
import { NotFound } from "../../src/errors.ts";
import { carryOut, commandOperation } from "../../src/http/carry-out.ts";
import type { Env } from "../../src/http/env.ts";
import { byIdQuery, consistencyOf, queryOperation, rowsOf } from "../../src/http/freshness.ts";
import { body, path, query } from "../../src/http/input.ts";
import { ask } from "../../src/read/ask.ts";
import { after, limit, pageOf, toPage } from "../../src/read/page.ts";
import { byId, storedText, text } from "../../src/shapes.ts";
import { fillJar, gramsByLabel, jarDetails, openJar } from "./jar.ts";

const jarView = z.object({ id: z.uuid(), label: z.string(), grams: z.int(), version: z.int() });
const page = z.strictObject({
  label: z.optional(text(50)),
  limit,
  after: z.optional(after(z.tuple([storedText, z.uuid()]))),
});
const grams = z.object({ items: z.array(z.object({ label: z.string(), jars: z.int(), grams: z.int() })) });

export const jarCommands = () =>
  new Hono<Env>()
    .post("/jars", commandOperation("Open a jar", { creates: true }), body(openJar.input), (c) => {
      const input = c.req.valid("json");
      return carryOut(c, openJar, { id: input.id, input });
    })
    .post(
      "/jars/:id/fill",
      commandOperation("Fill a jar", { rejections: ["jar-sealed", "jar-overfull"] }),
      path(byId),
      body(fillJar.input),
      (c) => carryOut(c, fillJar, { ...c.req.valid("param"), input: c.req.valid("json") }),
    );

export const jarQueries = () =>
  new Hono<Env>()
    .get("/jars/:id", queryOperation("One jar", jarView), path(byId), query(byIdQuery), async (c) => {
      const { id } = c.req.valid("param");
      const consistency = consistencyOf(c, c.req.valid("query").consistency);
      const [jar] = await rowsOf(c, consistency, (db) =>
        ask(db, jarDetails, consistency, (from) =>
          db.selectFrom(from).select(["jar_id as id", "label", "grams", "version"]).where(
            "jar_id",
            "=",
            id,
          )));
      if (!jar) {
        throw new NotFound(`Cannot find jar ${id}`);
      }
      return c.json(jar);
    })
    .get("/jars", queryOperation("Jars by label", pageOf(jarView)), query(page), async (c) => {
      const consistency = consistencyOf(c);
      const { label, limit, after } = c.req.valid("query");
      const rows = await rowsOf(c, consistency, (db) =>
        ask(db, jarDetails, consistency, (from) =>
          db.selectFrom(from).select(["jar_id as id", "label", "grams", "version"])
            .$if(label !== undefined, (qb) =>
              qb.where("label", "=", label!))
            .$if(after !== undefined, (qb) =>
              qb.where((eb) =>
                eb(eb.refTuple("label", "jar_id"), ">", eb.tuple(after![0], after![1]))
              ))
            .orderBy("label").orderBy("jar_id").limit(limit + 1)));
      return c.json(toPage(rows, limit, ({ label, id }) => [label, id]));
    })
    .get("/grams", queryOperation("Grams by label", grams), query(z.strictObject({})), async (c) => {
      const consistency = consistencyOf(c);
      const items = await rowsOf(c, consistency, (db) =>
        ask(db, gramsByLabel, consistency, (from) =>
          db.selectFrom(from).select(["label", "jars", "grams"]).orderBy("label")));
      return c.json({ items });
    });
