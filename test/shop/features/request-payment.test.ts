import { describe, it } from "vitest";
import { requestPayment } from "../../../src/features/payments/commands/request-payment.ts";
import { requested, taken } from "../support/payment-history.ts";
import { given } from "../../support/spec.ts";

const input = { amountCents: 900, token: "visa" };

describe("RequestPayment", () => {
  it("asks for the payment", () => {
    given().when(requestPayment, input).then(requested);
  });

  it("changes nothing the second time, whatever the amount", () => {
    given(requested).when(requestPayment, { ...input, amountCents: 1 }).then();
    given(requested, taken).when(requestPayment, input).then();
  });
});
