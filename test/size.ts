import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { listFiles, partOf, ROOT } from "./support/imports.ts";
import { listPlatforms, listRooms, LISTS } from "./support/rooms.ts";

/** The parts that every reader of the program must know; of the relay, only the files of the root. */
const SPINE = ["write", "relay", "read", "http", "database"];
const TYPESCRIPT_LINES_AIM = 2_200;
const SQL_LINES_AIM = 600;

/** Prints the size of the program by part, in lines that are not blank. `npm run size` */
async function main(): Promise<void> {
  const files = await listFiles("src");
  const rooms = [...(await Promise.all(LISTS.map(listRooms))).flat(), ...await listPlatforms(), "edge"];
  const listOf = (kind: string) => files.filter((file) => kindOf(file, rooms) === kind);
  const sql = (await readdir(join(ROOT, "migrations"))).filter((file) =>
    /^(00\d\d_.*|roles)\.sql$/.test(file)
  );
  const spine = listOf("spine");
  print(
    "spine: write, relay (its root), read, http, database, src/*.ts",
    await sizeOf("src", spine),
    TYPESCRIPT_LINES_AIM,
  );
  for (const part of [...SPINE, "src/*.ts"]) {
    print(`  ${part}`, await sizeOf("src", spine.filter((file) => spinePartOf(file) === part)));
  }
  print("SQL: migrations 0001 to 0099, roles.sql", await sizeOf("migrations", sql), SQL_LINES_AIM);
  const others = new Set(files.map((file) => kindOf(file, rooms)).filter((kind) => kind !== "spine"));
  for (const kind of [...others].toSorted()) print(kind, await sizeOf("src", listOf(kind)));
}

/** Returns `spine`, or the name of a part apart. */
function kindOf(file: string, rooms: string[]): string {
  const part = partOf(file);
  if (rooms.includes(part)) return `room: ${part}`;
  if (["features", "sample-shop", "app", "client"].includes(part)) {
    return "features, with app.ts, client.ts, sample-shop.ts";
  }
  if (part === "process" || part === "main") return "process, with main.ts";
  if (part === "migrate") return "migrate";
  if (part === "relay" && file.split("/").length > 2) return `relay/${file.split("/")[1]}`;
  return "spine";
}

function spinePartOf(file: string): string {
  return SPINE.includes(partOf(file)) ? partOf(file) : "src/*.ts";
}

async function sizeOf(folder: string, files: string[]): Promise<number> {
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, folder, file), "utf8")));
  return texts.flatMap((text) => text.split("\n")).filter((line) => line.trim() !== "").length;
}

function print(name: string, lines: number, aim?: number): void {
  const toText = (count: number) => count.toLocaleString("en");
  console.log(`${toText(lines).padStart(6)} ${name}${aim ? ` (aim: ${toText(aim)})` : ""}`);
}

await main();
