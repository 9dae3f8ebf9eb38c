import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type Answer, toAnswer, useTestApp } from "../support/app.ts";
import { expectProblem } from "../support/problem.ts";

const app = useTestApp();

const JSON_UTF8 = "application/json; charset=utf-8";

async function send(body: Uint8Array<ArrayBuffer>, headers: Record<string, string>): Promise<Answer> {
  return await toAnswer(await app.fetch("/jars", { method: "POST", body, headers }));
}

const bytesOf = (text: string, encoding: BufferEncoding) =>
  new Uint8Array(Buffer.from(JSON.stringify({ label: text }), encoding));

describe("A body in another charset", () => {
  it.each([
    "application/json; charset=iso-8859-1",
    "application/json;charset=latin1",
    'application/json; charset="ISO-8859-15"',
    "application/json; charset=utf-16le",
    "application/json; profile=x; CHARSET=windows-1252",
    "application/vnd.jar+json; charset=shift_jis",
  ])("is a problem: %s", async (type) => {
    expectProblem(
      await send(bytesOf("Möhre", "latin1"), { "content-type": type }),
      415,
      "unsupported-media-type",
    );
  });

  it.each([JSON_UTF8, "application/json; charset=UTF8", 'application/json;charset="utf-8"'])(
    "is none with %s",
    async (type) => {
      expect((await send(bytesOf("Möhre", "utf8"), { "content-type": type })).status).toBe(201);
    },
  );
});

describe("A body of bytes that are no UTF-8", () => {
  it.each<[string, Uint8Array<ArrayBuffer>]>([
    ["ISO-8859-1", bytesOf("Möhre", "latin1")],
    ["UTF-16", bytesOf("Möhre", "utf16le")],
    ["an overlong slash", withLabel([0xc0, 0xaf])],
    ["half of a surrogate pair", withLabel([0xed, 0xa0, 0x80])],
    ["a sign beyond Unicode", withLabel([0xf4, 0x90, 0x80, 0x80])],
    ["a sign cut off", withLabel([0xe2, 0x82])],
  ])("is a problem, and nothing is stored: %s", async (_, bytes) => {
    for (const type of ["application/json", JSON_UTF8]) {
      expectProblem(await send(bytes, { "content-type": type }), 400, "invalid-input");
    }
  });

  it("stores nothing", async () => {
    const labels = await app.database.owner.selectFrom("write.jars").select("label").execute();
    expect([...new Set(labels.map(({ label }) => label))]).toEqual(["Möhre"]);
  });
});

it("A byte order mark is passed over", async () => {
  const body = new Uint8Array([0xef, 0xbb, 0xbf, ...bytesOf("Jam", "utf8")]);
  expect((await send(body, { "content-type": JSON_UTF8 })).status).toBe(201);
});

describe("A compressed body", () => {
  it.each(["gzip", "br", "deflate", "x-unknown", "identity, gzip"])(
    "is a problem that says what is taken: %s",
    async (encoding) => {
      const zipped = new Uint8Array(gzipSync(`{"label":"Jam"}`));
      const headers = { "content-type": "application/json", "content-encoding": encoding };
      const answer = await send(zipped, headers);
      expectProblem(answer, 415, "unsupported-media-type");
      expect(answer.headers.get("accept-encoding")).toBe("identity");
    },
  );

  it("is none with identity", async () => {
    const headers = { "content-type": "application/json", "content-encoding": "identity" };
    expect((await send(bytesOf("Jam", "utf8"), headers)).status).toBe(201);
  });
});

function withLabel(bytes: number[]): Uint8Array<ArrayBuffer> {
  const text = (part: string) => [...Buffer.from(part)];
  return new Uint8Array([...text(`{"label":"`), ...bytes, ...text(`"}`)]);
}
