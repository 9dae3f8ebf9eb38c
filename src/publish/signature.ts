import { decodeBase64, encodeBase64 } from "hono/utils/encode";

/**
 * Signs a message by the rules of Standard Webhooks. The time is in whole seconds.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function sign(secret: string, id: string, seconds: number, body: string): Promise<string> {
  const bytes = decodeBase64(secret.slice("whsec_".length));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(`${id}.${seconds}.${body}`);
  return `v1,${encodeBase64(await crypto.subtle.sign("HMAC", key, text))}`;
}
