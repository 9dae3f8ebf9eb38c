import { describe, expect, it } from "vitest";
import { hasPlatform } from "../../runtimes/runtimes.ts";
import { useTestDatabase } from "../../support/database.ts";
import { useRuntime } from "../../support/runtime.ts";
import { untilShown } from "../support/shown.ts";

const test = useTestDatabase();
const lamp = {
  method: "POST",
  body: `{"name":"Lamp","priceCents":1}`,
  headers: { "content-type": "application/json" },
};

describe.each(
  ([
    { platform: "vercel", path: "", place: "" },
    { platform: "supabase", path: "/shop", place: "/functions/v1/shop" },
  ] as const).filter(({ platform }) => hasPlatform(platform)),
)("On $platform", ({ platform, path, place }) => {
  const program = useRuntime(() => test.urls, { OPS_TOKEN: "the-operator-of-the-tests" }, { name: platform });

  it("a command is carried out, says where to look, and is relayed without anybody else", async () => {
    const added = await program.fetch(`${path}/products`, lamp);
    const { id } = await added.json();
    expect({ status: added.status, location: added.headers.get("location") }).toEqual({
      status: 201,
      location: `${place}/products/${id}`,
    });
    await untilShown(test, id);
    const token = added.headers.get("consistency-token")!;
    const shown = await program.fetch(`${path}/products/${id}`, { headers: { "consistency-token": token } });
    expect(await shown.json()).toMatchObject({ id, name: "Lamp" });
  });

  it.runIf(platform === "vercel")("the cron drains, which can only GET", async () => {
    const asVercel = (secret: string) =>
      program.fetch("/ops/relay/drain", { headers: { authorization: `Bearer ${secret}` } });
    expect((await asVercel("wrong")).status).toBe(401);
    expect(await (await asVercel("the-operator-of-the-tests")).json()).toEqual({ handled: 0, more: false });
  });
});
