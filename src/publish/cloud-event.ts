import type { RecordedEvent } from "../write/event.ts";

/** An event in the JSON format of CloudEvents 1.0. `position` to `causationid` are extension attributes. */
export interface CloudEvent {
  specversion: "1.0";
  id: string;
  source: string;
  type: string;
  /** The stream. */
  subject: string;
  time: string;
  datacontenttype: "application/json";
  /** The place in the log. Text: CloudEvents' whole numbers end at 2,147,483,647, and the log does not. */
  position: string;
  /** The place in the stream. */
  streamversion: number;
  correlationid?: string;
  causationid?: string;
  data: object;
}

/**
 * Returns an event in the form for other programs.
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
export function toCloudEvent(event: RecordedEvent, source: string): CloudEvent {
  const { correlationId, causationId } = event.metadata;
  return {
    specversion: "1.0",
    id: event.id,
    source,
    type: event.type,
    subject: event.stream,
    time: event.recordedAt.toISOString(),
    datacontenttype: "application/json",
    position: String(event.position),
    streamversion: event.version,
    // An attribute without a value is left out.
    ...correlationId && { correlationid: correlationId },
    ...causationId && { causationid: causationId },
    data: event.data,
  };
}
