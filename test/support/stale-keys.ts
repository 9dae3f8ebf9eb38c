import type { Database } from "../../src/database/database.ts";
import type { ReadModel } from "../../src/read/read-model.ts";
import { readByView } from "./definitions.ts";
import type { Stream } from "./streams.ts";
import { listWrites } from "./writes.ts";

/**
 * Lists what `staleKeys` of the read models lack, in sentences. Each type of event of a stream has to be there if
 * the stream changes a column that the definition reads: with the stale keys, or with none on purpose. A stream
 * that only creates the rows has to be there with one type of event at least.
 */
export async function listForgotten(db: Database, models: ReadModel[], streams: Stream[]): Promise<string[]> {
  const lists = await Promise.all(models.map(async ({ name, staleKeys }) => {
    const read = await readByView(db, `read.${name}_source`);
    return [...read].flatMap(([table, columns]) => {
      const writers = streams.filter((stream) => writesTo(db, stream, table));
      if (writers.length === 0) return [`${name} reads ${table}, and no event tells of a change there`];
      return writers.flatMap((stream) => {
        const known = stream.eventTypes.filter((type) => type in staleKeys);
        const changed = listChanged(db, stream, table).filter((one) => one === "*" || columns.includes(one));
        const all = changed.length > 0 || columns.includes("*");
        if (!all && known.length > 0) return [];
        return stream.eventTypes.filter((type) => !known.includes(type)).map((type) =>
          `${name} lacks ${type}, which may change ${table} (${changed.join(", ") || "new rows"})`
        );
      });
    });
  }));
  return lists.flat();
}

function writesTo(db: Database, stream: Stream, table: string): boolean {
  return [true, false].some((created) => listWrites(db, stream, created).some((one) => one.table === table));
}

/** Returns the columns of a table that events change after the first. */
function listChanged(db: Database, stream: Stream, table: string): string[] {
  const writes = listWrites(db, stream, false).filter((write) => write.table === table);
  return [...new Set(writes.flatMap(({ columns }) => columns))].toSorted();
}
