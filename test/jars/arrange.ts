import type { Database } from "../../src/database/database.ts";
import { CommandRejected } from "../../src/errors.ts";
import { execute } from "../../src/write/execute.ts";
import { anybody } from "../support/context.ts";
import { fillJar, openJar } from "./jar.ts";

/** Opens a jar and returns its id. */
export async function aJar(db: Database, { label = "Honey", grams = 0 } = {}): Promise<string> {
  const { id } = await execute(db, openJar, { input: { label } }, anybody);
  if (grams > 0) await execute(db, fillJar, { id, input: { grams } }, anybody);
  return id;
}

/** Changes the label of a jar, as no command does. Only a jar labelled "sealed" refuses to be filled. */
export async function relabel(db: Database, id: string, label: string): Promise<void> {
  await db.updateTable("write.jars").set({ label }).where("id", "=", id).execute();
}

/** Fills grams into an empty jar: rejected on the state the command has loaded. */
export const fillEmptyJar: typeof fillJar = {
  ...fillJar,
  name: "FillEmptyJar",
  decide(input, jar) {
    if (jar.grams > 0) throw new CommandRejected("jar-not-empty", "Cannot fill jar: it is not empty");
    return fillJar.decide(input, jar);
  },
};
