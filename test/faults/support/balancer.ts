import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";

export interface Sent {
  /** "201", "503 database-unavailable", or why there was no answer. */
  kind: string;
  // deno-lint-ignore no-explicit-any
  body?: any;
}

export interface Balancer {
  send(
    method: string,
    path: string,
    given: { headers: Record<string, string>; body?: object },
  ): Promise<Sent>;
  end(): void;
}

/** How long after its head a request's body is sent: so most stops come in the middle of one. */
const BODY_MS = 50;

/**
 * Gives each request to the next process, on connections that are kept alive. It goes on to another one only if a
 * connection is refused: then nothing was sent.
 */
export function createBalancer(urls: string[]): Balancer {
  const agent = new Agent({ keepAlive: true });
  let next = 0;
  return {
    async send(method, path, { headers, body }) {
      const first = next++;
      for (let tries = 1;; tries++) {
        const url = new URL(path, urls[(first + tries) % urls.length]);
        try {
          return await ask(url, { method, agent, headers }, body);
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          if (code !== "ECONNREFUSED" || tries === urls.length) return { kind: `lost: ${message}` };
        }
      }
    },
    end: () => agent.destroy(),
  };
}

async function ask(
  url: URL,
  options: { method: string; agent: Agent; headers: Record<string, string> },
  body?: object,
): Promise<Sent> {
  const text = body && JSON.stringify(body);
  const headers = { ...options.headers, ...text !== undefined && { "Content-Type": "application/json" } };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, { ...options, headers }, resolve).on("error", reject);
    if (text === undefined) return sent.end();
    sent.flushHeaders();
    void setTimeout(BODY_MS).then(() => sent.end(text));
  });
  const said = JSON.parse((await answer.setEncoding("utf8").toArray()).join(""));
  const kind = answer.statusCode! < 400 ? `${answer.statusCode}` : `${answer.statusCode} ${said.code}`;
  return { kind, body: said };
}
