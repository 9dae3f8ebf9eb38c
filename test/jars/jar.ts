import * as z from "zod/mini";
import type { ReadModel } from "../../src/read/read-model.ts";
import { itself } from "../../src/read/read-model.ts";
import type { ProcessManager } from "../../src/relay/handlers/process-manager.ts";
import { id, text } from "../../src/shapes.ts";
import type { Aggregate } from "../../src/write/aggregate.ts";
import type { Command } from "../../src/write/command.ts";
import { aggregateId } from "../../src/write/event.ts";
import { CommandRejected } from "../../src/errors.ts";

type JarOpened = { type: "JarOpened"; data: { label: string } };
type JarFilled = { type: "JarFilled"; data: { grams: number } };
export type JarEvent = JarOpened | JarFilled;

export interface Jar {
  label: string;
  grams: number;
}

const aggregate: Aggregate<Jar, JarEvent> = {
  category: "jar",
  initial: { label: "", grams: 0 },
  constraints: { jar_is_not_overfull: "jar-overfull" },
  evolve(state, { type, data }) {
    return type === "JarOpened"
      ? { label: data.label, grams: 0 }
      : { ...state, grams: state.grams + data.grams };
  },
  load: (db, id) => db.selectFrom("write.jars").select(["label", "grams", "version"]).where("id", "=", id),
  save: (db, { id, state, version, created }) =>
    db.with(
      "jar",
      (qb) =>
        created
          ? qb.insertInto("write.jars").values({ id, ...state, version })
          : qb.updateTable("write.jars").set({ ...state, version }).where("id", "=", id),
    ),
};

const openInput = z.strictObject({ id: z.optional(id), label: text(50) });

/** Opens an empty jar. */
export const openJar: Command<z.infer<typeof openInput>, Jar, JarEvent, null> = {
  name: "OpenJar",
  input: openInput,
  aggregate,
  creates: true,
  decide: ({ label }) => [{ type: "JarOpened", data: { label } }],
};

const fillInput = z.strictObject({ grams: z.int().check(z.minimum(0), z.maximum(2_000)) });

/** Fills grams into a jar: zero changes nothing, and the table's constraint refuses too many. */
export const fillJar: Command<z.infer<typeof fillInput>, Jar, JarEvent> = {
  name: "FillJar",
  input: fillInput,
  aggregate,
  decide({ grams }, jar) {
    if (jar.label === "sealed") throw new CommandRejected("jar-sealed", "Cannot fill jar: it is sealed");
    return grams === 0 ? [] : [{ type: "JarFilled", data: { grams } }];
  },
};

export const jarDetails = {
  name: "jar_details",
  refresh: "changed keys",
  staleKeys: { JarOpened: itself, JarFilled: itself },
} as const satisfies ReadModel<JarEvent["type"]>;

export const gramsByLabel = {
  name: "grams_by_label",
  refresh: "whole",
  staleKeys: { JarOpened: itself, JarFilled: itself },
} as const satisfies ReadModel<JarEvent["type"]>;

/** Fills 1 gram into each jar opened with the label `automatic`. */
export const toppingUp: ProcessManager<JarEvent> = {
  name: "topping_up",
  reactions: {
    async JarOpened(event, send) {
      if (event.data.label !== "automatic") return;
      await send(fillJar, { id: aggregateId(event), input: { grams: 1 } });
    },
  },
};

declare module "../../src/database/database.ts" {
  interface Tables {
    "write.jars": { id: string; label: string; grams: number; version: number };
    "read.jar_details": { jar_id: string; label: string; grams: number; version: number };
    "read.grams_by_label": { label: string; jars: number; grams: number };
  }
}
