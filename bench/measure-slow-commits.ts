import postgres from "postgres";
import { type Figure, show } from "./figure.ts";
import { alternate, type Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { median } from "./statistics.ts";

const COMMIT_DELAY_US = 1_500;
const CONNECTIONS = 32;
const RATIO_MIN = 0.9;

/** The trigger that notifies: the project's (when the relay sleeps), none, or a trigger always notifying. */
const TRIGGERS = { asleep: "outbox_wakes_the_relay", never: undefined, always: "outbox_always_notifies" };

type Notifying = keyof typeof TRIGGERS;

/**
 * Measures commands per second at 1.5 ms a commit, with three ways to wake the relay: the cost of NOTIFY's
 * lock. Sends bare statements on 32 connections: the lock is held as long as a commit, and the server's own
 * work would hide the cost. The server's relay runs as always.
 *
 * `commit_delay` makes the process flushing the log wait before the flush, and the others wait for the flush:
 * like a slow disk. With `commit_siblings` 0, even a transaction committing alone waits. Needs a superuser.
 */
export async function measureSlowCommits(stage: Stage, { rounds, roundMs }: Plan): Promise<Figure[]> {
  if (!await delayCommits(stage)) {
    return [{ what: "Slow commits", measured: "not measured: commit_delay needs a superuser", data: {} }];
  }
  await createNaiveTrigger(stage);
  await stage.restartServer();

  const rates: Record<Notifying, number[]> = { asleep: [], never: [], always: [] };
  await alternate(
    rounds,
    (Object.keys(TRIGGERS) as Notifying[]).map((notifying) => async () => {
      await stage.untilCaughtUp();
      await enable(stage, notifying);
      rates[notifying].push(
        await stage.raw.run("commandsRaw", {
          databaseUrl: stage.database.urls.command,
          connections: CONNECTIONS,
          durationMs: roundMs,
        }),
      );
    }),
  );
  const ratio = median(rates.asleep.map((value, round) => value / rates.never[round]!));
  return [{
    what: `Statements/s at ${COMMIT_DELAY_US / 1000} ms a commit: NOTIFY when asleep / never / always`,
    measured: `${
      [rates.asleep, rates.never, rates.always].map((values) => show(median(values))).join(" / ")
    }; asleep : never = ${ratio.toFixed(2)}`,
    aim: { text: `≥ ${RATIO_MIN}`, isMet: ratio >= RATIO_MIN },
    data: { ...rates, ratio },
  }];
}

/** Delays the commits of new connections. Returns false without the right to change the setting. */
async function delayCommits({ postgres: { adminUrl }, database }: Stage): Promise<boolean> {
  const admin = postgres(adminUrl, { max: 1, fetch_types: false });
  try {
    await admin`alter database ${admin(database.name)} set commit_siblings = 0`;
    await admin`alter database ${admin(database.name)} set commit_delay = ${
      admin.unsafe(`${COMMIT_DELAY_US}`)
    }`;
    return true;
  } catch (error) {
    if (error instanceof postgres.PostgresError && error.code === "42501") return false;
    throw error;
  } finally {
    await admin.end();
  }
}

async function createNaiveTrigger({ database: { owner } }: Stage): Promise<void> {
  await owner.unsafe(`
    create function relay.always_notify() returns trigger
    language plpgsql security definer set search_path = '' as $$
    begin
      perform pg_notify('relay', '');
      return null;
    end;
    $$;
    create trigger outbox_always_notifies after insert on write.outbox
      for each statement execute function relay.always_notify();
  `);
}

async function enable({ database: { owner } }: Stage, notifying: Notifying): Promise<void> {
  for (const trigger of Object.values(TRIGGERS)) {
    if (!trigger) continue;
    await owner.unsafe(
      `alter table write.outbox ${trigger === TRIGGERS[notifying] ? "enable" : "disable"} trigger ${trigger}`,
    );
  }
}
