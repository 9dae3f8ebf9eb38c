import type { TestProject } from "vitest/node";
import { bundleWorker } from "./bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The Worker's bundle, as JSON of its `file` and its `options`. */
    worker: string;
  }
}

/** Bundles the Worker once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { file, options, remove } = await bundleWorker();
  project.provide("worker", JSON.stringify({ file, options }));
  return remove;
}
