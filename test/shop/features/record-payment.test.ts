import { describe, it } from "vitest";
import { recordPayment } from "../../../src/features/payments/commands/record-payment.ts";
import { declined, refundRequested, requested, taken } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("RecordPayment", () => {
  it("keeps what the gateway has answered", () => {
    given(requested).when(recordPayment, { outcome: "taken" }).then(taken);
    given(requested).when(recordPayment, { outcome: "declined" }).then(declined);
  });

  it("changes nothing the second time", () => {
    given(requested, taken).when(recordPayment, { outcome: "taken" }).then();
    given(requested, declined).when(recordPayment, { outcome: "taken" }).then();
  });

  it("changes nothing when it comes too late: what was taken is being given back", () => {
    given(requested, refundRequested).when(recordPayment, { outcome: "taken" }).then();
  });
});
