import * as z from "zod";

const WHAT = "{name, url, secret, types?}";

const endpoint = z.strictObject({
  name: z.string("is missing").regex(
    /^[a-z][a-z0-9_]{0,40}$/,
    "is not a letter and then up to 40 letters, digits and _, all lower case",
  ),
  url: z.url({ protocol: /^https?$/, error: "is not a URL of the web", abort: true })
    .refine((url) => new URL(url).username + new URL(url).password === "", "contains a user or a password"),
  secret: z.string("is missing").refine(isSecret, "is not whsec_ and 24 to 64 bytes in base64"),
  types: z.array(z.string("is not a type of event").min(1, "is empty"), "is not a list of types of events")
    .min(1, "is empty").optional(),
}, `is not ${WHAT}`);

/** Whom to send events to over HTTP. */
export type Endpoint = z.infer<typeof endpoint>;

/** The endpoints, from JSON. What it says is wrong never shows what was given: there are secrets in it. */
export const endpoints = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue({ code: "custom", message: "is not JSON" });
    return z.NEVER;
  }
}).pipe(z.array(endpoint, `is not a list of ${WHAT}`)).superRefine((all, context) => {
  const names = all.map(({ name }) => name);
  names.forEach((name, place) => {
    if (names.indexOf(name) === place) return;
    context.addIssue({ code: "custom", path: [place, "name"], message: "is there twice" });
  });
});

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function isSecret(text: string): boolean {
  const [, base64] = text.match(/^whsec_((?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?)$/i) ?? [];
  if (base64 === undefined) return false;
  const bytes = atob(base64).length;
  return bytes >= 24 && bytes <= 64;
}
