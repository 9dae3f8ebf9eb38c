import { createEdge, type Edge } from "./edge.ts";
import { docsPage } from "./http/docs-page.ts";

/** Variables and secrets are settings. A Hyperdrive binding is the URL for the setting of the same name. */
type Bindings = Record<string, string | { connectionString: string } | undefined>;
type Assets = { ASSETS: { fetch(url: string): Promise<Response> } };
type Context = { waitUntil(work: Promise<unknown>): void };

let edge: Edge | undefined;

function edgeOf({ ASSETS, ...bindings }: Bindings & Assets): Edge {
  const variables = Object.entries(bindings).map(([name, value]) =>
    [name, typeof value === "string" ? value : value?.connectionString] as const
  );
  const pages = docsPage(async (file) => await (await ASSETS.fetch(`https://assets/${file}`)).arrayBuffer());
  return createEdge({ variables: Object.fromEntries(variables), keepsConnections: false, pages });
}

/** The entries of Cloudflare Workers: for each request, and for every minute. */
export default {
  fetch: (request: Request, env: Bindings & Assets, context: Context) =>
    (edge ??= edgeOf(env)).fetch(request, (work) => context.waitUntil(work)),
  scheduled: async (_event: unknown, env: Bindings & Assets) => void await (edge ??= edgeOf(env)).drain(),
};
