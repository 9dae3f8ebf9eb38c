import process from "node:process";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export interface Random {
  readonly seed: number;
  /** A whole number, both ends included. */
  between(from: number, to: number): number;
  chance(percent: number): boolean;
}

/** Chance that can be repeated: `TEST_SEED=… npm test`. The seed is printed. */
export function seededRandom(what: string): Random {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000_000);
  console.log(`${what}: TEST_SEED=${seed}`);
  const generator = xoroshiro128plus(seed);
  const between = (from: number, to: number) => uniformInt(generator, from, to);
  return { seed, between, chance: (percent) => between(1, 100) <= percent };
}
