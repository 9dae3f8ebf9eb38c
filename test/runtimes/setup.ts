import type { TestProject } from "vitest/node";
import { bundleWorker } from "./bundle.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The file of the Worker's bundle. */
    worker: string;
  }
}

/** Bundles the Worker once for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { file, remove } = await bundleWorker();
  project.provide("worker", file);
  return remove;
}
