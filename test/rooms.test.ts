import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { type Import, listFiles, listImports, partOf, ROOT } from "./support/imports.ts";
import { listPlatforms, listRooms, LISTS } from "./support/rooms.ts";

/** The part common to all platforms, closed with the last platform. */
const COMMON = "edge";

/** The optional parts: rooms with a line in a list, and platforms with an entry. */
describe("a room", () => {
  let [rooms, platforms]: string[][] = [];
  let imports: Import[];
  beforeAll(async () => {
    rooms = (await Promise.all(LISTS.map(listRooms))).flat();
    platforms = await listPlatforms();
    imports = (await listImports()).filter(({ from, to }) => partOf(from) !== partOf(to));
  });

  it("is imported on its line in the list and nowhere else; an entry is imported nowhere", () => {
    const importedFrom = (room: string) =>
      imports.filter(({ to }) => partOf(to) === room).map(({ from }) => from);
    for (const room of rooms!) {
      expect({ room, from: importedFrom(room) }).toEqual({
        room,
        from: [expect.stringMatching(/rooms\.ts$/)],
      });
    }
    for (const platform of platforms!) {
      expect({ platform, from: importedFrom(platform) }).toEqual({ platform, from: [] });
    }
    expect(importedFrom(COMMON).filter((from) => !platforms!.includes(partOf(from)))).toEqual([]);
  });

  it("has its tests and its page under the same name", () => {
    const missing = [
      ...rooms!.flatMap((room) => [`src/${room}`, `test/${room}`, `docs/${room}.md`]),
      ...platforms!.flatMap((platform) => [`test/${platform}`, `docs/deploy/${platform}.md`]),
    ].filter((path) => !existsSync(join(ROOT, path)));
    expect(missing).toEqual([]);
  });

  it("is imported by no tests but its own, and those of the shop", async () => {
    const files = (await listFiles("test")).filter((file) => !/^shop\/|node_modules/.test(file));
    const against = await Promise.all(files.map(async (file) => {
      const text = await readFile(join(ROOT, "test", file), "utf8");
      const parts = [...text.matchAll(/(?:from|import\() ?"[./]+\/src\/([^/"]+)\//g)].map(([, part]) =>
        part!
      );
      return parts.filter((part) => isForeign(part, file.split("/")[0]!)).map((part) => `${file}: ${part}`);
    }));
    expect(against.flat()).toEqual([]);
  });

  /** Returns true for a room that tests in the folder may not import. */
  function isForeign(part: string, folder: string): boolean {
    if (part === folder) return false;
    if (part === COMMON) return !platforms!.includes(folder);
    return [...rooms!, ...platforms!].includes(part);
  }
});
