import { decodeBase64 } from "hono/utils/encode";
import * as z from "zod/mini";

const WHAT = "{name, url, secret, types?}";

const SECRET_PREFIX = "whsec_";

const type = z.string("is not a type of event").check(z.minLength(1, "is empty"));

const endpoint = z.strictObject({
  name: z.string("is missing").check(z.regex(
    /^[a-z][a-z0-9_]{0,40}$/,
    "is not a letter and then up to 40 letters, digits and _, all lower case",
  )),
  url: z.url({ protocol: /^https?$/, error: "is not a URL of the web", abort: true }).check(
    z.refine((url) => new URL(url).username + new URL(url).password === "", "contains a user or a password"),
  ),
  secret: z.string("is missing").check(z.refine(isSecret, "is not whsec_ and 24 to 64 bytes in base64")),
  types: z.optional(z.array(type, "is not a list of types of events").check(z.minLength(1, "is empty"))),
}, `is not ${WHAT}`);

/** A receiver of events over HTTP. */
export type Endpoint = z.infer<typeof endpoint>;

/** The endpoints, from JSON. Error messages never show the given text, because the text has secrets. */
export const endpoints = z.pipe(
  z.pipe(z.string(), z.transform(parse)),
  z.array(endpoint, `is not a list of ${WHAT}`),
).check(z.superRefine((all, context) => {
  const names = all.map(({ name }) => name);
  names.forEach((name, place) => {
    if (names.indexOf(name) === place) return;
    context.addIssue({ code: "custom", path: [place, "name"], message: "is there twice" });
  });
}));

function parse(text: string, { issues }: z.core.ParsePayload): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Without the text, because of the secrets.
    issues.push({ code: "custom", message: "is not JSON", input: undefined });
    return z.NEVER;
  }
}

/** @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
function isSecret(text: string): boolean {
  const base64 = text.slice(SECRET_PREFIX.length);
  if (!text.startsWith(SECRET_PREFIX) || !z.base64().safeParse(base64).success) return false;
  const bytes = decodeBase64(base64).length;
  return bytes >= 24 && bytes <= 64;
}
