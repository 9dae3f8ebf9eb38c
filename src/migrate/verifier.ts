const ITERATIONS = 4096;
const SALT_BYTES = 16;

/**
 * Returns the SCRAM verifier of a password, for `alter role … password`. The server could make the verifier
 * itself, but its log would show the password: in every failed statement, and with `log_statement = ddl`
 * always.
 * @see https://www.postgresql.org/docs/current/catalog-pg-authid.html
 */
export async function verifierOf(
  password: string,
  salt: Uint8Array<ArrayBuffer> = crypto.getRandomValues(new Uint8Array(SALT_BYTES)),
): Promise<string> {
  // PostgreSQL and its clients compare passwords in the form NFKC.
  const text = new TextEncoder().encode(password.normalize("NFKC"));
  const key = await crypto.subtle.importKey("raw", text, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ITERATIONS };
  const salted = await crypto.subtle.deriveBits(how, key, 256);
  const storedKey = await crypto.subtle.digest("SHA-256", await sign(salted, "Client Key"));
  const serverKey = await sign(salted, "Server Key");
  const [saltText, stored, server] = [salt, storedKey, serverKey].map((bytes) => toBase64(bytes));
  return `SCRAM-SHA-256$${ITERATIONS}:${saltText}$${stored}:${server}`;
}

async function sign(key: ArrayBuffer, text: string): Promise<ArrayBuffer> {
  const how = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, how, false, ["sign"]);
  return await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text));
}

function toBase64(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
