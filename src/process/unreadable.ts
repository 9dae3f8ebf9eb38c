import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { getLogger } from "../logging.ts";

/** The status, the code and the reason for requests that the program never sees, by the error of Node's parser. */
const REASONS: Record<string, [number, string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "request-timeout", "it took too long to arrive"],
  HPE_HEADER_OVERFLOW: [431, "headers-too-large", "its headers are too large"],
  HPE_INVALID_METHOD: [501, "method-unknown", "its method is unknown"],
};

const logger = getLogger("cqrs.http");

/** Answers an error of Node's adapter: the request's URL makes no sense. */
export function toUnreadable(error: unknown): Response {
  const { status, headers, body } = problemOf(error);
  return new Response(body, { status, headers });
}

/** Answers an error of Node's parser on the connection, unless an answer has begun, and closes the connection. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const { _httpMessage: begun } = socket as { _httpMessage?: { headersSent: boolean } };
  if (!socket.writable || error.code === "ECONNRESET" || begun?.headersSent) return void socket.destroy();
  const { status, headers, body } = problemOf(error);
  const fields = { ...headers, "Content-Length": String(Buffer.byteLength(body)), Connection: "close" };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.end(
    [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, "", body].join("\r\n"),
    () => socket.destroy(),
  );
}

function problemOf(error: unknown) {
  const { code: cause = "", message } = error as NodeJS.ErrnoException;
  const [status, code, reason] = REASONS[cause] ?? [400, "invalid-input", "it is not HTTP"];
  const requestId = randomUUID();
  logger.debug("Request {requestId} cannot be read: {message}", { requestId, message });
  const body = JSON.stringify({
    type: "about:blank",
    title: STATUS_CODES[status],
    status,
    code,
    detail: `Cannot read the request: ${reason}`,
    instance: `urn:request:${requestId}`,
  });
  const headers = {
    "Content-Type": "application/problem+json",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Request-Id": requestId,
  };
  return { status, headers, body };
}
