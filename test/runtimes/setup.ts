import type { TestProject } from "vitest/node";
import { type Bundle, bundleWorker } from "./bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    worker: Pick<Bundle, "file" | "options">;
  }
}

/** Bundles the Worker once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { file, options, remove } = await bundleWorker();
  project.provide("worker", { file, options });
  return remove;
}
