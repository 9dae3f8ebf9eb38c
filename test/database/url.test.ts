import { describe, expect, it } from "vitest";
import { readSettings } from "../../src/compose.ts";
import { databaseUrls } from "../../src/config.ts";
import { toDriverOptions } from "../../src/database/driver.ts";
import { formatUrl, parseUrl } from "../../src/database/url.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n";

describe("a URL that psql takes", () => {
  it.each([
    ["postgresql://jars@db/jars", "postgres://jars@db/jars"],
    [" postgres://jars:se%40me@db:5433/jars\n", "postgres://jars:se%40me@db:5433/jars"],
    ["postgres://jars:a#b?c:d[e@db/jars", "postgres://jars:a%23b%3Fc%3Ad%5Be@db/jars"],
    ["postgres://[::1]:5433/jars", "postgres://[::1]:5433/jars"],
    ["postgres://jars@[fe80::1%25eth0]/jars", "postgres://jars@fe80%3A%3A1%25eth0/jars"],
    [
      "postgres://jars:x@/jars?host=/run/postgresql&port=5433",
      "postgres://jars:x@%2Frun%2Fpostgresql:5433/jars",
    ],
    ["postgres://db/my%20shop?ssl=true", "postgres://db/my%20shop?sslmode=require"],
    ["postgres://db/jars?schema=x&pgbouncer=true&sslmode=&keepalives=1", "postgres://db/jars?pgbouncer=true"],
    ["postgres://db/jars?options=-c%20geqo%3Doff", "postgres://db/jars?options=-c%20geqo%3Doff"],
  ])("becomes a URL that every reader takes: %s", (given, formatted) => {
    const url = formatUrl(parseUrl(given));
    expect(url).toBe(formatted);
    expect(new URL(url).href).toBe(url);
    expect(parseUrl(url)).toEqual(parseUrl(given));
  });
});

describe("a certificate", () => {
  const urlsOf = (DATABASE_URL: string) => databaseUrls({ ...readSettings({ DATABASE_URL }), DATABASE_URL });

  it("may be in the URL itself, where there are no files", () => {
    const { command } = urlsOf(`postgres://db/jars?sslrootcert=${encodeURIComponent(PEM)}`);
    expect(toDriverOptions(command)).toMatchObject({
      ssl: { ca: PEM, host: "db", rejectUnauthorized: true },
    });
  });

  it("cannot be a file there", () => {
    expect(() => urlsOf("postgres://db/jars?sslmode=verify-full&sslrootcert=/etc/ca.pem")).toThrow(
      "Cannot start: DATABASE_URL names a file in sslrootcert: give the text of the file",
    );
  });
});

describe("TLS", () => {
  const tlsOf = (parameters: string) => toDriverOptions(`postgres://db/jars?${parameters}`).ssl;

  it.each([
    ["sslmode=verify-full", { host: "db", rejectUnauthorized: true }],
    ["sslmode=verify-ca", { host: "db", rejectUnauthorized: true }],
    ["sslmode=prefer&sslrootcert=system", { host: "db", rejectUnauthorized: true }],
    ["sslmode=require&sslrootcert=system", { host: "db", rejectUnauthorized: true }],
    ["sslmode=require", { host: "db", rejectUnauthorized: false }],
  ])("is as strict as the URL, or stricter where psql would refuse: %s", (parameters, tls) => {
    expect(tlsOf(parameters)).toEqual(tls);
  });
});
