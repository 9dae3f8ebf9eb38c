import { connect } from "node:net";

/** A connection kept alive, for a single request at a time. */
export interface HttpConnection {
  /** Returns the answer. @throws {Error} If the status is not `expectedStatus`, or the connection is lost. */
  send(method: "GET" | "POST", path: string, expectedStatus: number, body?: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  /** The status line and the header fields, as received. */
  head: string;
  body: string;
}

/**
 * Opens a connection for load. The client is small because client, server and database share the processors:
 * every microsecond of the client counts against the server. Understands only answers with a Content-Length.
 */
export function openHttpConnection(url: string): HttpConnection {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay();
  let received = "";
  let waiting: { resolve(answer: Answer): void; reject(reason: Error): void } | undefined;

  // latin1 has a character for each byte: lengths are bytes.
  socket.setEncoding("latin1");
  socket.on("data", (text: string) => {
    received += text;
    const answer = completeAnswer(received);
    if (!answer) return;
    received = "";
    waiting?.resolve(answer);
  });
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => waiting?.reject(new Error("Cannot go on: the server has closed the connection")));

  return {
    async send(method, path, expectedStatus, body) {
      const answer = await new Promise<Answer>((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(toRequest(method, path, host, body), "utf8");
      });
      if (answer.head.startsWith(`HTTP/1.1 ${expectedStatus} `)) return answer;
      throw new Error(`Cannot use the answer to ${method} ${path}: ${answer.head}\r\n\r\n${answer.body}`);
    },
    close: () => void socket.destroy(),
  };
}

function toRequest(method: string, path: string, host: string, body?: string): string {
  const start = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  if (body === undefined) return `${start}\r\n`;
  const length = Buffer.byteLength(body);
  return `${start}Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

function completeAnswer(text: string): Answer | undefined {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`Cannot read an answer without Content-Length: ${head}`);
  const body = text.slice(end + 4);
  return body.length < Number(length) ? undefined : { head, body };
}
