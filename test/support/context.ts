import type { CommandContext } from "../../src/write/command.ts";

/** The context of a command for tests independent of the caller. */
export const anybody: CommandContext = { caller: "anybody", correlationId: "test" };
