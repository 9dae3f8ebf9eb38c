import type { Database } from "../../database/database.ts";
import { restAfterFailure } from "../refresh.ts";
import type { Tasks } from "../tasks.ts";
import { Gate } from "./gate.ts";
import type { Handler } from "./handler.ts";
import { Leases } from "./leases.ts";
import type { News } from "./news.ts";
import { Worker } from "./worker.ts";

/** The longest wait for the results of interrupted tries. */
const INTERRUPT_MS = 1_000;

/** The workers of a process, one for each handler. */
export class Crew {
  readonly #tasks: Tasks;
  readonly #workers = new Map<string, Worker>();
  readonly #gate = new Gate();
  #leases: Leases | undefined;
  #isPaused = false;

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
    this.#gate.onOpen = () => this.#workers.forEach((worker) => worker.look());
  }

  /** Returns the time before which no lane of the handler has become due; null when unknown. */
  sinceOf({ name }: Handler): Date | null {
    return this.#workers.get(name)?.supply.since ?? null;
  }

  /** Takes the news about a handler, and starts a worker if there is work. */
  hear(db: Database, handler: Handler, news: News, stopping?: AbortSignal): void {
    this.#isPaused = false;
    const worker = this.#workerOf(db, handler);
    worker.supply.hear(news);
    worker.look();
    if (!worker.supply.hasMore || worker.isRunning || stopping?.aborted) return;
    const isStopped = () => this.#isPaused || Boolean(stopping?.aborted);
    this.#tasks.start(handler.name, async () => {
      const tries = await restAfterFailure(db, worker.supply, () => worker.run(db, isStopped));
      if (tries > 0) this.#tasks.onLateEnd();
      // Counted by the worker already.
      return 0;
    });
  }

  /** Begins no further try until the next news, and stores all progress: the process may end, or be frozen. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    this.#workers.forEach((worker) => worker.look());
    // A failure is no matter: the leases run out, and another relay goes on.
    await this.#leases?.renew().catch(() => {});
  }

  /** Like `pause`, and has the tries under way fail: a lane in a dead hand would look like one that kills. */
  async interrupt(): Promise<void> {
    this.#isPaused = true;
    const reason = new Error("Did not end before the end of the drain");
    this.#workers.forEach((worker) => worker.interrupt(reason));
    await this.#tasks.waitForAll(INTERRUPT_MS);
  }

  #workerOf(db: Database, handler: Handler): Worker {
    this.#leases ??= new Leases(db);
    const worker = this.#workers.get(handler.name) ?? new Worker(handler, {
      leases: this.#leases,
      gate: this.#gate,
      count: (events) => this.#tasks.add(events),
    });
    this.#workers.set(handler.name, worker);
    return worker;
  }
}
