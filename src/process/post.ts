import { lookup } from "node:dns";
import {
  Agent as HttpAgent,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import type { Post } from "../surroundings.ts";
import { isPublicAddress } from "./public-address.ts";

/** The limits for reading an answer's body: the body does not matter, but its end frees the connection. */
const BODY_BYTES_MAX = 64 * 1024;
const BODY_MS_MAX = 1_000;

const KEPT_OPEN = { keepAlive: true, timeout: 5_000 };

/**
 * Returns a function to post over HTTP on Node, Deno and Bun. With `refuse`, addresses outside the public
 * internet are refused. The check is of the connection's own address: no name can lead elsewhere after the
 * check.
 */
export function createPost(privateAddresses: "allow" | "refuse"): Post {
  const refuses = privateAddresses === "refuse";
  // Agents of the publishers alone: a reused connection was checked when opened.
  const http = { request: httpRequest, agent: new HttpAgent(KEPT_OPEN) };
  const https = { request: httpsRequest, agent: new HttpsAgent(KEPT_OPEN) };
  return async (url, headers, body, signal) => {
    const target = new URL(url);
    // Only names are looked up: an address is checked here.
    const address = target.hostname.replace(/^\[|\]$/g, "");
    if (refuses && isIP(address) !== 0 && !isPublicAddress(address)) throw refusal(target.hostname, address);
    const { request, agent } = target.protocol === "https:" ? https : http;
    const length = new TextEncoder().encode(body).length;
    const options: RequestOptions = {
      method: "POST",
      headers: { ...headers, "content-length": length },
      agent,
      ...refuses && { lookup: lookUpPublic },
    };
    const answer = await send(request, target, options, body, signal);
    await letPass(answer);
    return answer.statusCode!;
  };
}

function send(
  request: typeof httpsRequest,
  url: URL,
  options: RequestOptions,
  body: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = request(url, options, resolve);
    const stop = () => {
      sending.destroy();
      // Deno (2.9.5) does not report the end of a request destroyed on a reused connection.
      reject(signal.reason);
    };
    sending.on("error", (error: NodeJS.ErrnoException) => reject(new Error(error.message || error.code)))
      .on("close", () => signal.removeEventListener("abort", stop));
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop);
    sending.end(body);
  });
}

/** Reads the body to the end. Closes the connection if the body is too large or too slow. */
function letPass(answer: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const cut = () => {
      answer.destroy();
      answer.socket.destroy();
      end();
    };
    const timeout = setTimeout(cut, BODY_MS_MAX);
    const end = () => {
      clearTimeout(timeout);
      resolve();
    };
    answer.on("data", (chunk: Uint8Array) => (bytes += chunk.length) > BODY_BYTES_MAX && cut())
      .on("end", end).on("error", end).on("close", end);
  });
}

/** Looks up a name, and leaves out the addresses outside the public internet. */
const lookUpPublic: LookupFunction = (hostname, options, done) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return done(error, []);
    const allowed = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = allowed;
    if (!first) return done(refusal(hostname, addresses.map(({ address }) => address).join(", ")), []);
    if (options.all) done(null, allowed);
    else done(null, first.address, first.family);
  });
};

function refusal(hostname: string, addresses: string): Error {
  const what = hostname === addresses ? "it is" : `its address is ${addresses},`;
  return new Error(`${what} not public, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse`);
}
