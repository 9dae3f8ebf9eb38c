import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout } from "node:timers/promises";

export interface Sent {
  /** "201", "503 database-unavailable", or "lost: …" with the reason. */
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

/** The pause between a request's head and body: most stops come in the middle of a request. */
const BODY_MS = 50;

/**
 * Creates a balancer: each request goes to the next process, on connections kept alive.
 * Only a refused connection, with nothing sent, moves a request to another process.
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
