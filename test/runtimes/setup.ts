import type { TestProject } from "vitest/node";
import { type Bundle, bundleWorker } from "./bundle.ts";
import { type Entries, hasPlatform } from "./runtimes.ts";

declare module "vitest" {
  interface ProvidedContext {
    workers: Record<Entries, Pick<Bundle, "file" | "options">>;
  }
}

/** Bundles the Workers once for all tests. */
export default async function setup(
  project: TestProject,
): Promise<() => Promise<void>> {
  if (!hasPlatform("cloudflare")) {
    const none = { file: "", options: { compatibilityDate: "", compatibilityFlags: [] } };
    project.provide("workers", { "src": none, "test/jars": none });
    return () => Promise.resolve();
  }
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
