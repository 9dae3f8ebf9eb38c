import type { Database } from "../../database/database.ts";

const STREAMS_FAILED = 8;
const PROBE_EVERY_MS = 1_000;

/**
 * Tells an outage from bad events: a handler is down when all recent tries failed, in different streams. During an
 * outage, a try is made every second, and counts against no event. Any success ends the outage.
 */
export class Outage {
  readonly #failed = new Set<string>();
  #probedAt = -Infinity;
  #lastError = "";
  #wasSaid = false;

  get isDown(): boolean {
    return this.#failed.size >= STREAMS_FAILED;
  }

  /** Returns true once a second. */
  mayProbe(): boolean {
    if (performance.now() - this.#probedAt < PROBE_EVERY_MS) return false;
    this.#probedAt = performance.now();
    return true;
  }

  succeeded(): void {
    this.#failed.clear();
  }

  failed(stream: string, message: string): void {
    this.#lastError = message;
    if (!this.isDown) this.#failed.add(stream);
  }

  /** Stores the begin or the end of the outage, for operators. */
  async say(db: Database, subscription: string): Promise<void> {
    if (this.isDown === this.#wasSaid) return;
    this.#wasSaid = this.isDown;
    const last_error = this.isDown ? `Down, with a try every second: ${this.#lastError}` : null;
    await db.updateTable("relay.checkpoints").set({ last_error }).where("subscription", "=", subscription)
      .execute();
  }
}
