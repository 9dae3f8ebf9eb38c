import { describe, it } from "vitest";
import { giveUpPayment } from "../../../src/features/payments/commands/give-up-payment.ts";
import { asked, notAsked, refundRequested, requested, taken } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("GiveUpPayment", () => {
  it("gives up on what the gateway was never asked for", () => {
    given(requested).when(giveUpPayment, {}).then(notAsked);
  });

  it("changes nothing once the gateway was asked, or the payment has ended", () => {
    given(requested, asked).when(giveUpPayment, {}).then();
    given(requested, asked, taken).when(giveUpPayment, {}).then();
    given(requested, refundRequested).when(giveUpPayment, {}).then();
  });

  it("changes nothing the second time", () => {
    given(requested, notAsked).when(giveUpPayment, {}).then();
  });
});
