import { afterEach, describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { start, type Started } from "../../src/process/start.ts";
import { app } from "../jars/app.ts";
import { useTestDatabase } from "../support/database.ts";

const BUNDLE = "/docs/swagger-ui-bundle.js";

describe("The files of /docs", () => {
  const database = useTestDatabase({ jars: true });
  let started: Started | undefined;
  afterEach(() => started?.stop());
  const startWith = async (settings: Record<string, string>) => {
    const limits = { keepAliveMs: 200 };
    const parts = { api: true, relay: false, limits };
    started = await start(app, readSettings({ PORT: "0", ...settings }), database.urls, "127.0.0.1", parts);
    return async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(started!.url + path, { headers });
      return { status: response.status, headers: response.headers, text: await response.text() };
    };
  };

  it("are compressed for clients that can read that", async () => {
    const get = await startWith({});
    const plain = await get(BUNDLE, { "accept-encoding": "identity" });
    const zipped = await get(BUNDLE, { "accept-encoding": "gzip, br" });
    expect(zipped.headers.get("content-encoding")).toBe("gzip");
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(zipped.text).toBe(plain.text);
    const [small, large] = [zipped, plain].map(({ headers }) => Number(headers.get("content-length")));
    expect(small).toBeLessThan(large! / 3);
    const refusing = await get(BUNDLE, { "accept-encoding": "gzip;q=0" });
    expect(refusing.headers.get("content-encoding")).toBeNull();
  });

  it.each(["gzip", "identity"])("are not sent to clients that have them: %s", async (encoding) => {
    const get = await startWith({});
    const asked = { "accept-encoding": encoding };
    const { headers } = await get(BUNDLE, asked);
    expect(headers.get("vary")).toBe("Accept-Encoding");
    const again = await get(BUNDLE, { ...asked, "if-none-match": headers.get("etag")! });
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: "" });
    const other = encoding === "gzip" ? "identity" : "gzip";
    const changed = { "accept-encoding": other, "if-none-match": headers.get("etag")! };
    expect((await get(BUNDLE, changed)).status).toBe(200);
  });

  it("are not there with DOCS=off", async () => {
    const get = await startWith({ DOCS: "off" });
    for (const path of ["/", "/docs", BUNDLE, "/docs/start.js"]) expect((await get(path)).status).toBe(404);
    expect((await get("/openapi.json")).status).toBe(200);
  });
});
