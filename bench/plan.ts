/** The length of a run. */
export interface Plan {
  rounds: number;
  roundMs: number;
  freshnessMs: number;
  /** The sizes of the read model for measuring the refresh, in orders. */
  refreshOrders: number[];
}

/** Two to three minutes. */
export const SHORT: Plan = {
  rounds: 5,
  roundMs: 2_000,
  freshnessMs: 6_000,
  refreshOrders: [10_000, 100_000],
};

/** About ten minutes, and a read model of a million orders. */
export const FULL: Plan = {
  rounds: 9,
  roundMs: 5_000,
  freshnessMs: 20_000,
  refreshOrders: [10_000, 100_000, 1_000_000],
};

/** Runs all sides in every round, in reverse in every second round: no side gets the better moments. */
export async function alternate(rounds: number, sides: (() => Promise<void>)[]): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side();
  }
}
