import * as z from "zod/mini";
import { endpoints } from "./endpoint.ts";

const uri = z.string()
  .check(z.regex(/^[\w.~:/?#[\]@!$&'()*+,;=%-]+$/, "has characters that a URI may not have"));

/** The settings of publishing. */
export const settings = z.object({
  PUBLISH_TO: z._default(endpoints, []),
  PUBLISH_TO_PRIVATE_ADDRESSES: z._default(
    z.enum(["allow", "refuse"], "is neither allow nor refuse"),
    "refuse",
  ),
  PUBLISH_SOURCE: z._default(uri, "urn:cqrs"),
}).check(z.superRefine(({ PUBLISH_TO, PUBLISH_TO_PRIVATE_ADDRESSES }, context) => {
  if (PUBLISH_TO_PRIVATE_ADDRESSES === "allow") return;
  PUBLISH_TO.forEach(({ url }, place) => {
    if (new URL(url).protocol === "https:") return;
    const message = "is not https, and PUBLISH_TO_PRIVATE_ADDRESSES is refuse";
    context.addIssue({ code: "custom", path: ["PUBLISH_TO", place, "url"], message });
  });
}));

export type PublishSettings = z.output<typeof settings>;
