import type { Context, MiddlewareHandler, TypedResponse } from "hono";
import * as z from "zod/mini";
import { InvalidInput } from "../errors.ts";
import type { Command, CommandContext } from "../write/command.ts";
import type { Event } from "../write/event.ts";
import { execute } from "../write/execute.ts";
import type { Env } from "./env.ts";
import { operation } from "./openapi.ts";
import { ifMatchOf } from "./preconditions.ts";
import { isRepeated } from "./repeated.ts";
import { toToken } from "./token.ts";

/** The answer to a command. */
export const receipt = z.object({
  id: z.uuid(),
  version: z.int(),
  /** Stands for the last event of the stream; null when the stream has none. */
  token: z.nullable(z.string()),
});

export type Receipt = z.infer<typeof receipt>;

/** Describes the operation of a command. */
export function commandOperation(
  summary: string,
  { creates, ifMatch = !creates, rejections }: {
    creates?: boolean;
    ifMatch?: boolean;
    rejections?: string[];
  } = {},
): MiddlewareHandler {
  const headers = ifMatch ? ["Idempotency-Key", "If-Match"] : ["Idempotency-Key"];
  return operation({
    summary,
    headers,
    rejections: rejections ?? [],
    answers: { [creates ? 201 : 200]: receipt },
  });
}

/**
 * Carries out the command of a request. Answers 201 and the `Location` for a new aggregate, else 200. With
 * `ifMatch`, the header `If-Match` means the version of the command's aggregate.
 */
export async function carryOut<Input, State, E extends Event, Loaded>(
  c: Context<Env>,
  command: Command<Input, State, E, Loaded>,
  given: { id?: string | undefined; input: Input },
  { ifMatch = !command.creates } = {},
): Promise<TypedResponse<Receipt, 200 | 201, "json"> & Response> {
  const { id, version, lastEventId } = await execute(
    c.env.databases.commands,
    command,
    given,
    contextOf(c, ifMatch),
  );
  if (command.creates) c.header("Location", `${c.req.path}/${id}`);
  return respond(c, { id, version, token: lastEventId && toToken(lastEventId) }, command.creates ? 201 : 200);
}

/** Answers with a receipt, and repeats the version and the token in headers. */
export function respond<Status extends 200 | 201>(c: Context<Env>, receipt: Receipt, status: Status) {
  c.header("ETag", `"${receipt.version}"`);
  if (receipt.token) c.header("Consistency-Token", receipt.token);
  return c.json(receipt, status);
}

function contextOf(c: Context<Env>, heedsIfMatch: boolean): CommandContext {
  return {
    caller: c.get("caller"),
    correlationId: c.get("requestId"),
    idempotencyKey: idempotencyKeyOf(c),
    ifMatch: heedsIfMatch ? ifMatchOf(c) : undefined,
  };
}

function idempotencyKeyOf(c: Context<Env>): string | undefined {
  const key = c.req.header("idempotency-key");
  if (isRepeated(c, "idempotency-key")) {
    throw new InvalidInput("Cannot accept the Idempotency-Key: there is more than one");
  }
  if (key === undefined || /^[\x20-\x7e]{1,255}$/.test(key)) return key;
  throw new InvalidInput("Cannot accept the Idempotency-Key: it is 1 to 255 printable ASCII characters");
}
