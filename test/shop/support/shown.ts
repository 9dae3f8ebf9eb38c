import type { TestDatabase } from "../../support/database.ts";
import { until } from "../../support/until.ts";

/** Waits until queries show a product. */
export async function untilShown(test: TestDatabase, id: string): Promise<void> {
  await until(`product ${id} is shown`, async () => {
    const shown = await test.query.selectFrom("read.product_catalog").select("name")
      .where("product_id", "=", id).execute();
    return shown.length > 0;
  });
}
