import { inject } from "vitest";
import { findDebianPrograms, useDebianServer } from "./debian-server.ts";

/** A server to test on, by `describe.each`. */
export interface TestedServer {
  server: string;
  /** Starts the server if necessary, for the tests of a file. Returns a function for the superuser's URL. */
  useServer(): () => string;
}

/** Returns the run's server and Debian's PostgreSQL, the oldest. `what` is printed when there is none of Debian. */
export async function newestAndOldest(what: string): Promise<TestedServer[]> {
  const debian = await findDebianPrograms();
  if (!debian) console.log(`skipped: ${what} on the oldest PostgreSQL, there is none of Debian`);
  const useOldest = (programs: string) => {
    const server = useDebianServer(programs);
    return () => server.url;
  };
  return [
    { server: "the server of the run", useServer: () => () => inject("adminUrl") },
    ...debian ? [{ server: "Debian's PostgreSQL", useServer: () => useOldest(debian) }] : [],
  ];
}
