import type { Post } from "../surroundings.ts";

/**
 * Posts with `fetch`, for platforms without anything else. Unless private addresses are allowed, an endpoint
 * must have a name other than `localhost`; only the platform knows the address of the name.
 */
export function createPostByFetch(privateAddresses: "allow" | "refuse"): Post {
  return async (url, headers, body, signal) => {
    const { hostname } = new URL(url);
    if (privateAddresses === "refuse" && isAddress(hostname)) {
      throw new Error(`${hostname} is an address, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse`);
    }
    const answer = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
    await answer.body?.cancel();
    return answer.status;
  };
}

/** A URL writes every IPv4 address in digits and points, and every IPv6 address in brackets. */
function isAddress(hostname: string): boolean {
  return hostname === "localhost" || /^[\d.]+$|^\[/.test(hostname);
}
