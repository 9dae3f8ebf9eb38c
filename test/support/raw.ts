import { connect, type Socket } from "node:net";

/** A connection without an HTTP client: sends and receives text as it is. */
export interface Raw {
  socket: Socket;
  send(text: string | Uint8Array): void;
  /** The text received up to now. */
  readonly received: string;
  /** Everything received, once the server has closed the connection. */
  readonly closed: Promise<string>;
}

/** Connects to the server of a URL. */
export function connectRaw(url: string): Raw {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = "";
  socket.setEncoding("utf8").on("data", (text) => received += text);
  // The server may close the connection while the client sends.
  socket.on("error", () => {});
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(received)));
  return {
    socket,
    closed,
    send: (text) => void socket.write(text),
    get received() {
      return received;
    },
  };
}

/** Sends lines of a head and a body, asks for the end of the connection, and returns the whole answer. */
export async function exchange(url: string, head: string[], body = ""): Promise<string> {
  const raw = connectRaw(url);
  raw.send([...head, "Connection: close", "", body].join("\r\n"));
  return await raw.closed;
}
