import { describe, it } from "vitest";
import { recordRefund } from "../../../src/features/payments/commands/record-refund.ts";
import { refundPayment } from "../../../src/features/payments/commands/refund-payment.ts";
import { declined, refunded, refundRequested, requested, taken } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

describe("RefundPayment", () => {
  it("has given back what was taken, or is being taken", () => {
    given(requested, taken).when(refundPayment, {}).then(refundRequested);
    given(requested).when(refundPayment, {}).then(refundRequested);
  });

  it("changes nothing when there is nothing to give back", () => {
    given(requested, declined).when(refundPayment, {}).then();
    given(requested, taken, refundRequested).when(refundPayment, {}).then();
    given(requested, taken, refundRequested, refunded).when(refundPayment, {}).then();
  });
});

describe("RecordRefund", () => {
  it("keeps how much was given back, once", () => {
    given(requested, taken, refundRequested).when(recordRefund, { amountCents: 900 }).then(refunded);
    given(requested, taken, refundRequested, refunded).when(recordRefund, { amountCents: 900 }).then();
  });

  it("changes nothing when nobody has asked for it", () => {
    given(requested, taken).when(recordRefund, { amountCents: 900 }).then();
  });
});
