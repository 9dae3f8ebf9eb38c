import { Webhook } from "standardwebhooks";
import type { Handler } from "../relay/handler.ts";
import { toCloudEvent } from "./cloud-event.ts";
import type { Endpoint } from "./endpoint.ts";

/**
 * Posts a text and answers the status, whatever it is; does not follow redirects.
 * Rejects when there is no answer, or when the signal aborts.
 */
export type Post = (
  url: string,
  headers: Record<string, string>,
  body: string,
  signal: AbortSignal,
) => Promise<number>;

const TIMEOUT_MS = 10_000;
/** About an hour, with the back-off of retries: whoever is told may be away for a while. */
const ATTEMPTS_MAX = 120;

/**
 * Sends events to an endpoint, as CloudEvents that are signed as Standard Webhooks say. An event is sent again, under
 * the same id, until it is answered with a 2xx.
 * @see docs/publishing.md
 */
export function publisher({ name, url, secret, types }: Endpoint, source: string, post: Post): Handler {
  const webhook = new Webhook(secret);
  const { host } = new URL(url);
  return {
    name: `publish_${name}`,
    kind: "publisher",
    timeoutMs: TIMEOUT_MS,
    attemptsMax: ATTEMPTS_MAX,
    ...types && { concerns: ({ type }) => types.includes(type) },
    async handle(event, signal) {
      const body = JSON.stringify(toCloudEvent(event, source));
      const headers = { "content-type": "application/cloudevents+json", ...sign(webhook, event.id, body) };
      const status = await post(url, headers, body, signal).catch((error: Error) => {
        throw new Error(`Cannot publish to ${host}: ${error.message}`, { cause: error });
      });
      if (status < 200 || status > 299) throw new Error(`Cannot publish to ${host}: it answered ${status}`);
    },
  };
}

/** Signs with the time of this try: a receiver refuses what is older than a few minutes. */
function sign(webhook: Webhook, id: string, body: string): Record<string, string> {
  const now = new Date();
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": webhook.sign(id, now, body),
  };
}
