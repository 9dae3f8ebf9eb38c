/**
 * Signs a message as Standard Webhooks say. The time is in whole seconds.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function sign(secret: string, id: string, seconds: number, body: string): Promise<string> {
  const key = Uint8Array.from(atob(secret.slice("whsec_".length)), (byte) => byte.charCodeAt(0));
  const hmac = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const text = new TextEncoder().encode(`${id}.${seconds}.${body}`);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", hmac, text));
  return `v1,${btoa(String.fromCharCode(...signature))}`;
}
