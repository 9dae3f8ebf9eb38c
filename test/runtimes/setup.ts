import type { TestProject } from "vitest/node";
import { type Bundle, bundleWorker } from "./bundle.ts";
import type { Entries } from "./runtimes.ts";

declare module "vitest" {
  interface ProvidedContext {
    workers: Record<Entries, Pick<Bundle, "file" | "options">>;
  }
}

/** Bundles the Workers once for all tests. */
export default async function setup(
  project: TestProject,
): Promise<() => Promise<void>> {
  const [src, jars] = [
    await bundleWorker("src"),
    await bundleWorker("test/jars"),
  ];
  const toContext = ({ file, options }: Bundle) => ({ file, options });
  project.provide("workers", {
    "src": toContext(src),
    "test/jars": toContext(jars),
  });
  return async () => void await Promise.all([src.remove(), jars.remove()]);
}
