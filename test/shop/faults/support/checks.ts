import { sql } from "kysely";
import type { Check } from "../../../faults/support/checks.ts";
import { effectStreamOf } from "./witness.ts";

/** Checks of the load: every command is done once, however often a client sends the command. */
export function loadChecks(): Check[] {
  return [
    {
      kind: "twice",
      what: "Sent under one key, and done more than once",
      offenders: sql`
        select metadata ->> 'correlationId' as offender from write.events
        where metadata ->> 'correlationId' like 'load-%' and metadata ->> 'causationId' is null
        group by 1 having count(*) > 1`,
    },
  ];
}

/** Checks of the witness: every event has a single effect; effects keep the order of the stream. */
export function witnessChecks(): Check[] {
  const effects = sql`(
    select event.stream, event.version, event.id, effect.version as place, effect.data
    from write.events as event
    left join write.events as effect
      on effect.stream = ${effectStreamOf(sql`event.stream`)} and effect.data ->> 'eventId' = event.id::text
    where event.stream not like 'witness-%'
  ) as effects`;
  return [
    {
      kind: "missed",
      what: "Without an effect",
      offenders: sql`select id::text as offender from ${effects} where place is null`,
    },
    {
      kind: "twice",
      what: "With more than one effect",
      offenders: sql`select id::text as offender from ${effects} group by id having count(*) > 1`,
    },
    {
      kind: "outOfOrder",
      what: "An effect out of order",
      offenders:
        sql`select format('%s %s', stream, version) as offender from ${effects} where place <> version`,
    },
  ];
}
