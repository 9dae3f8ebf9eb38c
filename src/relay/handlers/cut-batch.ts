import type { RecordedEvent } from "../../write/event.ts";
import type { StreamWork } from "./lanes.ts";

/** The events of a stream in a batch, in order of version. */
export interface StreamEvents extends StreamWork {
  events: RecordedEvent[];
}

/** Cuts a page where a further stream would have no room. Events without interest belong to no stream. */
export function cutBatch(
  page: RecordedEvent[],
  room: number,
  isOfInterest: (event: RecordedEvent) => boolean,
): { batch: RecordedEvent[]; work: StreamEvents[] } {
  const streams = new Map<string, StreamEvents>();
  let length = 0;
  for (const event of page) {
    if (isOfInterest(event)) {
      const { stream, version, recordedAt } = event;
      const work = streams.get(stream);
      if (work) {
        work.events.push(event);
        work.last = version;
      } else if (streams.size >= room) {
        break;
      } else {
        streams.set(stream, { stream, first: version, last: version, since: recordedAt, events: [event] });
      }
    }
    length++;
  }
  return { batch: page.slice(0, length), work: [...streams.values()] };
}
