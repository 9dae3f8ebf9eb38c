import { describe, expect, it } from "vitest";
import { Gate } from "../../src/relay/handlers/gate.ts";

describe("the gate of a process", () => {
  it("lets a single try in alone, and nothing beside the try", () => {
    const gate = new Gate();
    expect(gate.enterAlone()).toBe(true);
    expect(gate.enterAlone()).toBe(false);
    expect(gate.isOpen).toBe(false);
    gate.begin();
    expect(gate.isOpen).toBe(false);
    gate.end();
    expect(gate.isOpen).toBe(true);
  });

  it("closes while others are being tried, so that they come to an end, and asks to look again then", () => {
    const gate = new Gate();
    let looks = 0;
    gate.onOpen = () => looks++;
    gate.begin();
    expect(gate.enterAlone()).toBe(false);
    expect(gate.isOpen).toBe(false);
    gate.end();
    expect(looks).toBe(1);
    expect(gate.enterAlone()).toBe(true);
    gate.leave();
    expect(gate.isOpen).toBe(true);
  });
});
