import * as fc from "fast-check";
import { it } from "vitest";
import { fillJar, openJar } from "../jars/jar.ts";
import { useTestDatabase } from "../support/database.ts";
import { expectOneStory, step } from "../support/story.ts";

const test = useTestDatabase({ jars: true });

const label = fc.oneof(
  { weight: 4, arbitrary: fc.string({ minLength: 1, unit: "grapheme" }) },
  fc.constant("sealed"),
);
/** Nothing, little, or so much that a second time is too much. */
const grams = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(600));

it("The tables and the log tell the same story of a jar", async () => {
  const opening = step(openJar, fc.record({ label }));
  const fillings = fc.array(step(fillJar, fc.record({ grams })), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(opening, fillings, async (opening, fillings) => {
      await expectOneStory(test, fillJar.aggregate, [opening, ...fillings]);
    }),
    { numRuns: 30 },
  );
});
