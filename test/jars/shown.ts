import type { TestDatabase } from "../support/database.ts";
import { until } from "../support/until.ts";

/** Waits until queries show a jar. */
export async function untilShown(test: TestDatabase, id: string): Promise<void> {
  await until(`jar ${id} is shown`, async () => {
    const shown = await test.query.selectFrom("read.jar_details").select("label").where("jar_id", "=", id)
      .execute();
    return shown.length > 0;
  });
}
