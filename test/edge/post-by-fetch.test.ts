import { describe, expect, it } from "vitest";
import { createPostByFetch } from "../../src/publish/post-by-fetch.ts";
import { sign } from "../../src/publish/signature.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";

const receiver = useReceiver();
const never = new AbortController().signal;

async function signed(body: string): Promise<Record<string, string>> {
  const seconds = Math.floor(Date.now() / 1_000);
  const signature = await sign(SECRET, "id", seconds, body);
  return { "webhook-id": "id", "webhook-timestamp": String(seconds), "webhook-signature": signature };
}

describe("Posting where there is only fetch", () => {
  it.each([
    "http://127.0.0.1/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::1]/",
    "http://localhost/",
    "https://10.0.0.1/",
  ])("refuses an address in place of a name: %s", async (url) => {
    const post = createPostByFetch("refuse");
    await expect(post(url, {}, "{}", never)).rejects.toThrow("PUBLISH_TO_PRIVATE_ADDRESSES is refuse");
  });

  it("answers the status, whatever it is, and does not follow redirects", async () => {
    const post = createPostByFetch("allow");
    expect(await post(receiver.url, {}, "{}", never)).toBe(401);
    receiver.answer = (answer) => answer.writeHead(302, { location: receiver.url }).end();
    const body = `{"subject":"test-a","streamversion":1}`;
    expect(await post(receiver.url, await signed(body), body, never)).toBe(302);
    expect(receiver.received).toHaveLength(1);
  });

  it("ends when it is told to", async () => {
    const post = createPostByFetch("allow");
    await expect(post(receiver.url, {}, "{}", AbortSignal.abort(new Error("too late")))).rejects.toThrow(
      "too late",
    );
  });
});
