// The optional parts of a process on a machine of its own, a line each: see src/rooms.ts.
export { doctor } from "../doctor/doctor.ts";
export { startEmbeddedPostgres } from "../embedded-postgres/embedded-postgres.ts";
