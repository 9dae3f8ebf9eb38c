import { lookup } from "node:dns/promises";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { createPost } from "../../src/process/post.ts";
import { isPublicAddress } from "../../src/process/public-address.ts";
import { SECRET, useReceiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";

const receiver = useReceiver();
const [refusing, allowing] = [createPost("refuse"), createPost("allow")];
const send = (post: typeof refusing, url: string, signal = new AbortController().signal) =>
  post(url, { "content-type": "text/plain" }, "naïve ☕", signal);
/** Returns the receiver's URL with another host name. */
const at = (hostname: string) => {
  const url = new URL(receiver.url);
  url.hostname = hostname;
  return url.href;
};

describe("post", () => {
  it.each([
    "127.0.0.1",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f.0.0.1",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "10.0.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "[::ffff:168.63.129.16]",
    "[fd00::1]",
    "[64:ff9b::7f00:1]",
  ])("refuses to connect to %s", async (hostname) => {
    await expect(send(refusing, at(hostname))).rejects.toThrow(
      "not public, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse",
    );
    expect(receiver.connections).toBe(0);
  });

  it("says which address it refuses", async () => {
    await expect(send(refusing, "http://169.254.169.254/latest")).rejects.toThrow(/^it is not public/);
    const addresses = (await lookup("localhost", { all: true })).map(({ address }) => address).join(", ");
    await expect(send(refusing, at("localhost"))).rejects.toThrow(
      `its address is ${addresses}, not public, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse`,
    );
  });

  it.each(["127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]"])(
    "connects to %s when that is allowed",
    async (hostname) => {
      expect(await send(allowing, at(hostname))).toBe(401);
    },
  );

  it("does not use a connection again that was made when it was allowed", async () => {
    expect(await send(allowing, at("localhost"))).toBe(401);
    await expect(send(refusing, at("localhost"))).rejects.toThrow("not public");
  });

  it("says what the operating system says", async () => {
    await expect(send(refusing, "http://nowhere.invalid/")).rejects.toThrow(/ENOTFOUND|EAI_AGAIN|not found/);
    await expect(send(allowing, "http://127.0.0.1:1/")).rejects.toThrow("ECONNREFUSED");
    await expect(send(allowing, "http://localhost:1/")).rejects.toThrow("ECONNREFUSED");
  });

  it("ends when its time is up, and closes the connection", async () => {
    const body = JSON.stringify({ subject: "test-a", streamversion: 1 });
    const now = new Date();
    const signed = {
      "webhook-id": "1",
      "webhook-timestamp": String(Math.floor(now.getTime() / 1_000)),
      "webhook-signature": new Webhook(SECRET).sign("1", now, body),
    };
    expect(await allowing(receiver.url, signed, body, new AbortController().signal)).toBe(204);
    let isClosed = false;
    const timeUp = new AbortController();
    receiver.answer = (answer) => {
      answer.on("close", () => isClosed = true);
      timeUp.abort(new Error("time is up"));
    };
    await expect(allowing(receiver.url, signed, body, timeUp.signal)).rejects.toThrow("time is up");
    await until("the connection is closed", () => isClosed);
  });

  it("does not begin when its time is up already", async () => {
    await expect(send(allowing, receiver.url, AbortSignal.abort(new Error("too late")))).rejects.toThrow(
      "too late",
    );
    expect(receiver.connections).toBe(0);
  });
});

describe("isPublicAddress", () => {
  it.each(["8.8.8.8", "93.184.215.14", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])(
    "says so of %s",
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  it.each(
    `
    0.0.0.0 0.1.2.3 10.1.2.3 100.64.0.1 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255
    192.0.0.1 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe 64:ff9b::a00:1 64:ff9b:1::1 100::1 2001::1 2001:db8::1
    2002:7f00:1::1 3fff::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1
    localhost example.com 8.8.8.8:80 nonsense
  `.trim().split(/\s+/),
  )("does not say so of %s", (address) => expect(isPublicAddress(address)).toBe(false));
});
