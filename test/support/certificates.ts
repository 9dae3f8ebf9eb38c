import { execFile } from "node:child_process";
import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import postgres from "postgres";
import type { DebianServer } from "./debian-server.ts";
import type { User } from "./server-user.ts";
import { until } from "./until.ts";

/** The paths of a certificate and of the key. */
interface Signed {
  certificate: string;
  key: string;
}

/** Files of an authority, and of certificates signed by the authority, for tests of TLS. */
export interface Authority {
  /** The path of the authority's own certificate. */
  certificate: string;
  /** Signs a certificate for a subject, for example `DNS:localhost`. */
  sign(name: string, subject: string): Promise<Signed>;
}

/** Creates an authority in a folder. The owner may read the keys. @throws {Error} Without `openssl`. */
export async function createAuthority(folder: string, { uid, gid }: User): Promise<Authority> {
  const path = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => promisify(execFile)("openssl", args);
  const request = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const own = { certificate: path("authority.crt"), key: path("authority.key") };
  await openssl(
    "req",
    "-x509",
    ...request,
    "-keyout",
    own.key,
    "-out",
    own.certificate,
    "-subj",
    "/CN=Authority",
  );
  return {
    certificate: own.certificate,
    async sign(name, subject) {
      const [certificate, key, wish, more] = ["crt", "key", "csr", "ext"].map((end) =>
        path(`${name}.${end}`)
      ) as [string, string, string, string];
      await openssl("req", ...request, "-keyout", key, "-out", wish, "-subj", `/CN=${name}`);
      await writeFile(more, `subjectAltName=${subject}`);
      const by = ["-CA", own.certificate, "-CAkey", own.key, "-CAcreateserial"];
      await openssl("x509", "-req", "-in", wish, ...by, "-out", certificate, "-extfile", more);
      await chmod(key, 0o600);
      if (uid !== undefined) await chown(key, uid, gid!);
      return { certificate, key };
    },
  };
}

/** Has the server take TLS connections, with a certificate. */
export async function present({ url }: DebianServer, { certificate, key }: Signed): Promise<void> {
  const ask = async (...statements: string[]) => {
    const db = postgres(url, { max: 1, onnotice: () => {} });
    try {
      let rows: postgres.Row[] = [];
      for (const statement of statements) rows = await db.unsafe(statement);
      return rows;
    } finally {
      await db.end();
    }
  };
  await ask(
    `alter system set ssl_cert_file = '${certificate}'`,
    `alter system set ssl_key_file = '${key}'`,
    "alter system set ssl = on",
    "select pg_reload_conf()",
  );
  await until("new connections have the certificate", async () => {
    const [row] = await ask("select current_setting('ssl_cert_file') as file, current_setting('ssl') as ssl");
    return row!.file === certificate && row!.ssl === "on";
  });
}
