import type { Room } from "../room.ts";
import { beginPublishing } from "./begin.ts";
import { publisher } from "./publisher.ts";
import { type PublishSettings, settings } from "./settings.ts";

/** Sends events to other programs: a publisher for each endpoint in `PUBLISH_TO`. @see docs/publish.md */
export const publish: Room<PublishSettings> = {
  settings,
  open({ PUBLISH_TO, PUBLISH_TO_PRIVATE_ADDRESSES, PUBLISH_SOURCE }, { databases, createPost }) {
    if (PUBLISH_TO.length === 0) return {};
    const post = createPost(PUBLISH_TO_PRIVATE_ADDRESSES);
    const handlers = PUBLISH_TO.map((endpoint) => publisher(endpoint, PUBLISH_SOURCE, post));
    return { handlers, begin: () => beginPublishing(databases.relay, handlers) };
  },
};
