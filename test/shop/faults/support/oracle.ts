import type { Database } from "../../../../src/database/database.ts";
import * as oracle from "../../../faults/support/oracle.ts";
import type { Verdict } from "../../../faults/support/report.ts";
import { loadChecks, witnessChecks } from "./checks.ts";

export { settled } from "../../../faults/support/oracle.ts";

export interface Given {
  /** The ids of the events acknowledged to clients. */
  acknowledged: string[];
  /** True when a witness ran: the effects are checked, too. */
  witness?: boolean;
}

/** Waits until every event is handled, then checks all stored data. Returns the numbers of errors. */
export async function verify(owner: Database, given: Given): Promise<Verdict> {
  return await oracle.verify(owner, withChecks(given));
}

/** Counts the errors, and prints an example of each kind. */
export async function judge(trx: Database, given: Given): Promise<Verdict> {
  return await oracle.judge(trx, withChecks(given));
}

function withChecks({ acknowledged, witness = false }: Given): oracle.Given {
  return { acknowledged, checks: [...loadChecks(), ...witness ? witnessChecks() : []] };
}
