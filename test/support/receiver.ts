import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach } from "vitest";

export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  /** The parsed body, signed with SECRET. */
  // deno-lint-ignore no-explicit-any
  event: any;
  /** The stream and the version of a test event, for example `a2`. */
  name: string;
}

export interface Receiver {
  url: string;
  /** Events with a valid signature in the order of arrival, answered or not. */
  received: Received[];
  connections: number;
  /** Answers a received event; by default with 204. */
  answer: (answer: ServerResponse, received: Received) => void;
}

/** Starts an HTTP server for signed events. A request without a valid signature is answered with 401. */
export function useReceiver(host = "127.0.0.1"): Receiver {
  const webhook = new Webhook(SECRET);
  const take = async (request: IncomingMessage, answer: ServerResponse) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { headers } = request;
    try {
      const event = webhook.verify(body, headers as Record<string, string>) as Received["event"];
      const name = `${event.subject.replace("test-", "")}${event.streamversion}`;
      const received = { headers, body, event, name };
      receiver.received.push(received);
      receiver.answer(answer, received);
    } catch (error) {
      answer.writeHead(401).end(String(error));
    }
  };
  const server = createServer((request, answer) => void take(request, answer))
    .on("connection", () => receiver.connections++);
  const receiver: Receiver = {
    received: [],
    connections: 0,
    answer: accept,
    get url() {
      return `http://${host}:${(server.address() as AddressInfo).port}/hooks`;
    },
  };
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, host, resolve)));
  beforeEach(() => {
    Object.assign(receiver, { received: [], connections: 0, answer: accept });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}

function accept(answer: ServerResponse): void {
  answer.writeHead(204).end();
}
