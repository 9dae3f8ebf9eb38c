import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { SECRET } from "../support/receiver.ts";

const secrets = { short: "whsec_c2hvcnQ=", plain: "open sesame" };
const good = { name: "billing", url: "https://example.com/hooks", secret: SECRET };

describe("the settings of publishing", () => {
  it.each([
    ["[", "PUBLISH_TO is not JSON"],
    ["{}", "PUBLISH_TO is not a list of {name, url, secret, types?}"],
    ['["https://example.com"]', "PUBLISH_TO.0 is not {name, url, secret, types?}"],
    [[{ ...good, secrte: SECRET }], "PUBLISH_TO.0 is not {name, url, secret, types?}"],
    [[{ ...good, name: undefined }], "PUBLISH_TO.0.name is missing"],
    [[{ ...good, name: "Billing" }], "PUBLISH_TO.0.name is not a letter and then up to 40"],
    [[{ ...good, name: "b".repeat(42) }], "PUBLISH_TO.0.name is not a letter and then up to 40"],
    [[good, { ...good, name: "b" }, good], "PUBLISH_TO.2.name is there twice"],
    [[good, { ...good, name: "b", url: "example.com" }], "PUBLISH_TO.1.url is not a URL of the web"],
    [[{ ...good, url: "ftp://example.com" }], "PUBLISH_TO.0.url is not a URL of the web"],
    [[{ ...good, url: "https://me:pw@example.com" }], "PUBLISH_TO.0.url contains a user or a password"],
    [
      [{ ...good, url: "http://example.com" }],
      "PUBLISH_TO.0.url is not https, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse",
    ],
    [[{ ...good, secret: undefined }], "PUBLISH_TO.0.secret is missing"],
    [[{ ...good, secret: secrets.short }], "PUBLISH_TO.0.secret is not whsec_ and 24 to 64 bytes in base64"],
    [[{ ...good, secret: secrets.plain }], "PUBLISH_TO.0.secret is not whsec_ and 24 to 64 bytes in base64"],
    [[{ ...good, secret: `${SECRET}=` }], "PUBLISH_TO.0.secret is not whsec_ and 24 to 64 bytes in base64"],
    [[{ ...good, types: [] }], "PUBLISH_TO.0.types is empty"],
    [[{ ...good, types: "OrderPlaced" }], "PUBLISH_TO.0.types is not a list of types of events"],
  ])("do not take %j", (given, line) => {
    const settings = { PUBLISH_TO: typeof given === "string" ? given : JSON.stringify(given) };
    const error = errorOf(() => readSettings(settings));
    expect(error.startsWith(`Cannot start: ${line}`), error).toBe(true);
    for (const secret of [SECRET, ...Object.values(secrets)]) expect(error).not.toContain(secret);
  });

  it("do not take what is neither allow nor refuse, or no source", () => {
    expect(errorOf(() => readSettings({ PUBLISH_TO_PRIVATE_ADDRESSES: "yes", PUBLISH_SOURCE: "a shop" })))
      .toBe(
        "Cannot start: PUBLISH_TO_PRIVATE_ADDRESSES is neither allow nor refuse\n" +
          "Cannot start: PUBLISH_SOURCE has characters that a URI may not have",
      );
  });

  it("take endpoints, and http where private addresses are allowed", () => {
    expect(readSettings({ PUBLISH_TO: JSON.stringify([good]) })).toMatchObject({
      PUBLISH_TO: [good],
      PUBLISH_TO_PRIVATE_ADDRESSES: "refuse",
      PUBLISH_SOURCE: "urn:cqrs",
    });
    const inside = { ...good, url: "http://billing.internal", types: ["OrderPlaced"] };
    const settings = { PUBLISH_TO: JSON.stringify([inside]), PUBLISH_TO_PRIVATE_ADDRESSES: "allow" };
    expect(readSettings(settings)).toMatchObject({ PUBLISH_TO: [inside] });
  });
});

function errorOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    return (error as Error).message;
  }
  return "there was none";
}
