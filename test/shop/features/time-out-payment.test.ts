import { describe, it } from "vitest";
import { timeOutPayment } from "../../../src/features/payments/commands/time-out-payment.ts";
import { asked, declined, refundRequested, requested, taken, timedOut } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("TimeOutPayment", () => {
  it("gives up waiting, and has everything given back that is taken all the same", () => {
    given(requested, asked).when(timeOutPayment, {}).then(timedOut, refundRequested);
  });

  it("changes nothing once the gateway has answered", () => {
    given(requested, asked, taken).when(timeOutPayment, {}).then();
    given(requested, asked, declined).when(timeOutPayment, {}).then();
  });

  it("changes nothing while the gateway was not asked: its minute has not begun", () => {
    given(requested).when(timeOutPayment, {}).then();
  });

  it("changes nothing the second time", () => {
    given(requested, asked, timedOut, refundRequested).when(timeOutPayment, {}).then();
  });
});
