import type { App } from "../compose.ts";
import { createEdge, type Edge } from "../edge/edge.ts";
import { docsPage } from "../http/docs-page.ts";

/** Variables and secrets are settings. A Hyperdrive binding is the URL for the setting of the same name. */
type Bindings = Record<string, string | { connectionString: string } | undefined>;
type Assets = { ASSETS: { fetch(url: string): Promise<Response> } };
type Context = { waitUntil(work: Promise<unknown>): void };

/** Returns the entries of Cloudflare Workers: for each request, and for every minute. */
export function createWorker(app: App) {
  let edge: Edge | undefined;
  const edgeOf = (env: Bindings & Assets) => edge ??= createEdge({ app, ...optionsOf(env) });
  return {
    fetch: (request: Request, env: Bindings & Assets, context: Context) =>
      edgeOf(env).fetch(request, (work) => context.waitUntil(work)),
    scheduled: async (_event: unknown, env: Bindings & Assets) => void await edgeOf(env).drain(),
  };
}

function optionsOf({ ASSETS, ...bindings }: Bindings & Assets) {
  const variables = Object.entries(bindings).map(([name, value]) =>
    [name, typeof value === "string" ? value : value?.connectionString] as const
  );
  const pages = docsPage(async (file) => ({
    body: (await ASSETS.fetch(`https://assets/${file}`)).body,
    headers: {},
  }));
  return { variables: Object.fromEntries(variables), keepsConnections: false, pages: () => pages };
}
