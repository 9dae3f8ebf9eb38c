import { type RawBuilder, sql } from "kysely";
import type { Database } from "../../../src/database/database.ts";
import type { Verdict } from "./report.ts";

/** A rule, with a query for the violations. */
export interface Check {
  kind: Exclude<keyof Verdict, "events">;
  what: string;
  /** The violations, each as a text. */
  offenders: RawBuilder<{ offender: string }>;
}

/** Checks of the log: acknowledged events are stored; every event is in the log once, in its place. */
export function logChecks(acknowledged: string[]): Check[] {
  const ids = sql`jsonb_array_elements_text(${JSON.stringify(acknowledged)}::text::jsonb)`;
  return [
    {
      kind: "missed",
      what: "Acknowledged, and not stored",
      offenders:
        sql`select id as offender from ${ids} as id where id::uuid not in (select id from write.events)`,
    },
    {
      kind: "missed",
      what: "Stored, and without a position",
      offenders: sql`
        select id::text as offender from write.events where id not in (select event_id from relay.log)`,
    },
    {
      kind: "missed",
      what: "Numbered, and not stored",
      offenders: sql`
        select event_id::text as offender from relay.log where event_id not in (select id from write.events)`,
    },
    {
      kind: "missed",
      what: "A position left out",
      offenders: sql`
        select position::text as offender from generate_series(1, (select max(position) from relay.log)) as position
        where position not in (select position from relay.log)`,
    },
    {
      kind: "twice",
      what: "Numbered more than once",
      offenders: sql`select event_id::text as offender from relay.log group by event_id having count(*) > 1`,
    },
    {
      kind: "outOfOrder",
      what: "A stream in another order than its versions",
      offenders: sql`
        select format('%s %s at %s', stream, version, position) as offender from (
          select *, row_number() over (partition by stream order by position) as place
          from relay.log join write.events on id = event_id
        ) as numbered where version <> place`,
    },
    {
      kind: "outOfOrder",
      what: "A version left out of a stream",
      offenders: sql`
        select format('%s %s', stream, version) as offender from (
          select *, row_number() over (partition by stream order by version) as place from write.events
        ) as versioned where version <> place`,
    },
  ];
}

/** Checks of the read models: each shows exactly the rows of its definition. */
export async function readModelChecks(db: Database): Promise<Check[]> {
  const { rows } = await sql<{ name: string }>`
    select relname as name from pg_class where relnamespace = 'read'::regnamespace
      and to_regclass(format('read.%I', relname || '_source')) is not null`.execute(db);
  return rows.flatMap(({ name }) => {
    const [content, definition] = [sql.table(`read.${name}`), sql.table(`read.${name}_source`)];
    const difference = (from: RawBuilder<unknown>, less: RawBuilder<unknown>) =>
      sql<
        { offender: string }
      >`select row(d.*)::text as offender from (table ${from} except table ${less}) as d`;
    return [
      { kind: "missed", what: `Not shown by ${name}`, offenders: difference(definition, content) },
      { kind: "missed", what: `Wrongly shown by ${name}`, offenders: difference(content, definition) },
    ];
  });
}
