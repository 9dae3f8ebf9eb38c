import { beforeAll, describe, it } from "vitest";
import { present } from "../support/certificates.ts";
import { findComparable, usePsqlServer } from "../support/psql-server.ts";
import { TAKEN_BY_BOTH_TOO } from "../support/psql-urls.ts";

const programs = await findComparable();

describe.skipIf(!programs)("with a URL, the program", () => {
  const psql = usePsqlServer(programs!);

  it("connects as psql does", async () => {
    await psql.expectAsPsql(TAKEN_BY_BOTH_TOO);
  });

  describe.each([
    { certified: "localhost", subject: "DNS:localhost", right: "localhost", wrong: "127.0.0.1" },
    { certified: "127.0.0.1", subject: "IP:127.0.0.1", right: "127.0.0.1", wrong: "localhost" },
  ])("to a server with a certificate for $certified,", ({ certified, subject, right, wrong }) => {
    beforeAll(async () => present(psql.server, await psql.authority.sign(certified, subject)));
    const at = (host: string, parameters: string) =>
      `postgres://postgres@${host}:PORT/postgres?${parameters}`;
    const OWN = "sslrootcert=FOLDER/authority.crt";

    it("connects as psql does", async () => {
      const unchecked = ["sslmode=require", "ssl=true", "sslmode=prefer", `sslmode=require&${OWN}`];
      await psql.expectAsPsql([
        ...unchecked.map((parameters) => at(wrong, parameters)),
        at(right, `sslmode=verify-full&${OWN}`),
        at(wrong, `sslmode=verify-ca&${OWN}`),
      ]);
    });

    it("stops where psql does", async () => {
      const advice = "name the authority's certificate in sslrootcert";
      const refusals: [string, string][] = [
        [at(wrong, `sslmode=verify-full&${OWN}`), "does not match certificate's altnames"],
        [at(right, "sslmode=verify-full"), advice],
        [at(right, "sslmode=verify-full&sslrootcert=system"), advice],
        [at(right, `sslmode=verify-ca&sslrootcert=FOLDER/${certified}.crt`), "certificate"],
        [at(right, `sslmode=require&sslrootcert=FOLDER/${certified}.crt`), "certificate"],
      ];
      await psql.expectPsqlRefuses(refusals.map(([template]) => template));
      // An authority alone: no other certificate will do, though psql would only prefer TLS.
      await psql.expectRefusals([...refusals, [at(wrong, OWN), "does not match certificate's altnames"]]);
    });
  });

  it("shows a certificate of its own, as psql does", async () => {
    const { server, authority } = psql;
    await present(server, await authority.sign("localhost", "DNS:localhost"));
    const { certificate, key } = await authority.sign("certified", "DNS:certified");
    const own = `sslmode=require&sslcert=${certificate}&sslkey=${key}`;
    await psql.admin(`alter system set ssl_ca_file = '${authority.certificate}'`, "select pg_reload_conf()");
    await psql.expectAsPsql([`postgres://certified@localhost:PORT/postgres?${own}`]);
    await psql.expectRefusals([
      ["postgres://certified@localhost:PORT/postgres?sslmode=require", "certificate"],
      ["postgres://certified@localhost:PORT/postgres", "add sslmode=require"],
    ]);
  });
});
