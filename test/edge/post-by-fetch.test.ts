import { describe, expect, it } from "vitest";
import { createPostByFetch } from "../../src/edge/post-by-fetch.ts";
import { Webhook } from "standardwebhooks";
import { SECRET, useReceiver } from "../support/receiver.ts";

const receiver = useReceiver();
const never = new AbortController().signal;

function signed(body: string): Record<string, string> {
  const now = new Date();
  return {
    "webhook-id": "id",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
    "webhook-signature": new Webhook(SECRET).sign("id", now, body),
  };
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
    expect(await post(receiver.url, signed(body), body, never)).toBe(302);
    expect(receiver.received).toHaveLength(1);
  });

  it("ends when it is told to", async () => {
    const post = createPostByFetch("allow");
    await expect(post(receiver.url, {}, "{}", AbortSignal.abort(new Error("too late")))).rejects.toThrow(
      "too late",
    );
  });
});
