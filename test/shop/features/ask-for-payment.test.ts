import { describe, it } from "vitest";
import { askForPayment } from "../../../src/features/payments/commands/ask-for-payment.ts";
import { asked, notAsked, refundRequested, requested, taken } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("AskForPayment", () => {
  it("begins the time limit, once", () => {
    given(requested).when(askForPayment, {}).then(asked);
    given(requested, asked).when(askForPayment, {}).then();
  });

  it("is rejected when there is nothing to ask for any more", () => {
    for (const end of [taken, notAsked, refundRequested]) {
      given(requested, end).when(askForPayment, {}).thenRejected("payment-not-requested");
    }
  });
});
