import type { CommandContext } from "../../src/write/command.ts";

/** Anybody, for tests that do not care who. */
export const anybody: CommandContext = { caller: "anybody", correlationId: "test" };
