import process from "node:process";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  readonly seed: number;
  /** Returns a whole number, both bounds included. */
  between(from: number, to: number): number;
  chance(percent: number): boolean;
}

/** Creates repeatable random numbers and prints the seed. To repeat a run: `TEST_SEED=… npm test`. */
export function seededRandom(what: string): Random {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
  console.log(`${what}: TEST_SEED=${seed}`);
  const generator = xoroshiro128plus(seed);
  const between = (from: number, to: number) => uniformInt(generator, from, to);
  return { seed, between, chance: (percent) => between(1, 100) <= percent };
}
