import { expect } from "vitest";
import type { TestApp } from "../support/app.ts";

/** The answer of a command. */
export interface Receipt {
  id: string;
  version: number;
  token: string;
}

/** Opens a jar and returns the receipt. */
export async function newJar(app: TestApp, { label = "Honey" } = {}): Promise<Receipt> {
  const { status, body } = await app.post("/jars", { label });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}
