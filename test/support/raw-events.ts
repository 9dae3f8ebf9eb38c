import { sql } from "kysely";
import type { TestDatabase } from "./database.ts";

interface RawEvent {
  stream: string;
  type: string;
  data?: object;
  schemaVersion?: number;
}

/** Appends an event as no command of this program would, and returns the id. */
export async function appendRaw(
  { owner }: Pick<TestDatabase, "owner">,
  { stream, type, data = {}, schemaVersion = 1 }: RawEvent,
): Promise<string> {
  const id = crypto.randomUUID();
  await sql`
    with added as (
      insert into write.events (id, stream, version, type, schema_version, data, metadata)
      values (${id}, ${stream}, (select coalesce(max(version), 0) + 1 from write.events where stream = ${stream}),
        ${type}, ${schemaVersion}, ${JSON.stringify(data)}::text::jsonb, '{}')
      returning id, recorded_at
    )
    insert into write.outbox (event_id, recorded_at) select id, recorded_at from added`.execute(owner);
  return id;
}

/** Gives an event of a newer shape the version that this program knows, as if the newer program had come back. */
export async function makeKnown({ owner }: Pick<TestDatabase, "owner">, id: string): Promise<void> {
  await owner.transaction().execute(async (trx) => {
    await sql`alter table write.events disable trigger user`.execute(trx);
    await sql`update write.events set schema_version = 1 where id = ${id}`.execute(trx);
    await sql`alter table write.events enable trigger user`.execute(trx);
  });
}
