import { createPost } from "../../src/process/post.ts";
import type { Endpoint } from "../../src/publish/endpoint.ts";
import { publisher } from "../../src/publish/publisher.ts";
import { drain } from "../../src/relay/drain.ts";
import { createRelay, type Relay } from "../../src/relay/relay.ts";
import type { Handler } from "../../src/relay/handlers/handler.ts";
import type { Post } from "../../src/surroundings.ts";
import type { TestDatabase } from "../support/database.ts";
import { addHandler, makeDue } from "../support/handlers.ts";
import { type Receiver, SECRET } from "../support/receiver.ts";

/** Posts like the program, and also to this machine. */
export const post: Post = createPost("allow");

let endpoints = 0;

/** Adds a publisher, starting at the end of the log. Returns the subscription's name and a relay. */
export async function addPublisher(
  test: TestDatabase,
  { url }: Pick<Receiver, "url">,
  { types, ...options }: Partial<Handler & Endpoint> = {},
  postIt = post,
): Promise<{ name: string; relay: Relay }> {
  const endpoint = { name: `e${++endpoints}`, url, secret: SECRET, types };
  const handler = { ...publisher(endpoint, "urn:test", postIt), ...options };
  return await addHandler(test, handler.handle, handler);
}

/** Creates a single relay for the subscriptions of several relays. */
export function together(...relays: Relay[]): Relay {
  return createRelay({
    db: relays[0]!.db,
    subscriptions: relays.flatMap(({ subscriptions }) => subscriptions),
  });
}

/** Drains new events and all retries, without waiting for the back-off. */
export async function drainWhatIsDue(test: TestDatabase, relay: Relay): Promise<void> {
  await makeDue(test);
  await drain(relay, 5_000);
}
