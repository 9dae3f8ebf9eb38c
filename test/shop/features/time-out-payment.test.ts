import { describe, it } from "vitest";
import { timeOutPayment } from "../../../src/features/payments/commands/time-out-payment.ts";
import { declined, refundRequested, requested, taken, timedOut } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("TimeOutPayment", () => {
  it("gives up waiting, and has everything given back that is taken all the same", () => {
    given(requested).when(timeOutPayment, {}).then(timedOut, refundRequested);
  });

  it("changes nothing once the gateway has answered", () => {
    given(requested, taken).when(timeOutPayment, {}).then();
    given(requested, declined).when(timeOutPayment, {}).then();
  });

  it("changes nothing the second time", () => {
    given(requested, timedOut, refundRequested).when(timeOutPayment, {}).then();
  });
});
