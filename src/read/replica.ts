import type { Database } from "../database/database.ts";

/** A copy of the database, asked for answers that need not be exact. The room `src/replica` has one. */
export interface Replica {
  /**
   * Asks the copy or, if allowed and the copy cannot answer, the primary.
   * @throws {DatabaseUnavailable} If nobody can answer: try again later.
   */
  ask<T>(ask: (db: Database) => Promise<T>): Promise<T>;
  /**
   * Returns true if the copy can answer, false if the primary stands in.
   * @throws {DatabaseUnavailable} If the copy cannot answer, and the primary does not stand in.
   */
  checkReady(): Promise<boolean>;
  /** Reaches the copy when a process starts. @throws {Error} If away, and the primary does not stand in. */
  reach(): Promise<void>;
  status(): Promise<ReplicaStatus>;
}

/** The progress of a replica. Without an answer from the replica, only `error` is known. */
export interface ReplicaStatus {
  position: number | null;
  /** The number of events in the log missing on the replica. */
  lag: number | null;
  /** The age of the oldest missing event; 0 without a missing event. */
  lagSeconds: number | null;
  error: string | null;
}
