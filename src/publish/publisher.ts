import type { Handler } from "../relay/handlers/handler.ts";
import type { Post } from "../surroundings.ts";
import { toCloudEvent } from "./cloud-event.ts";
import type { Endpoint } from "./endpoint.ts";
import { sign } from "./signature.ts";

const TIMEOUT_MS = 10_000;
/** About an hour, with the back-off: the receiver may be away for a while. */
const ATTEMPTS_MAX = 120;

/**
 * Sends events to an endpoint, as CloudEvents signed by the rules of Standard Webhooks. An event is sent
 * again, under the same id, until the endpoint answers with a 2xx or the attempts are used up.
 * @see docs/publish.md
 */
export function publisher({ name, url, secret, types }: Endpoint, source: string, post: Post): Handler {
  const { host } = new URL(url);
  return {
    name: `publish_${name}`,
    kind: "publisher",
    timeoutMs: TIMEOUT_MS,
    attemptsMax: ATTEMPTS_MAX,
    ...types && { types },
    async handle(event, signal, startedAt) {
      const body = JSON.stringify(toCloudEvent(event, source));
      const headers = {
        "content-type": "application/cloudevents+json",
        ...await signed(secret, event.id, startedAt, body),
      };
      const status = await post(url, headers, body, signal).catch((error: Error) => {
        throw new Error(`Cannot publish to ${host}: ${error.message}`, { cause: error });
      });
      if (status < 200 || status > 299) throw new Error(`Cannot publish to ${host}: it answered ${status}`);
    },
  };
}

/** Signs with the time of the try, by the clock of the database: a receiver refuses a time some minutes off. */
async function signed(
  secret: string,
  id: string,
  startedAt: Date,
  body: string,
): Promise<Record<string, string>> {
  const seconds = Math.floor(startedAt.getTime() / 1_000);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": await sign(secret, id, seconds, body),
  };
}
