// The optional parts of the program, a line each. To close a room: delete its folder, its tests and its line,
// or let `.ci/close NAME` do so. See docs/decisions/0017-rooms.md.
export { publish } from "./publish/publish.ts";
export { replica } from "./replica/replica.ts";
