import { Hono } from "hono";
import * as z from "zod/mini";
import { receipt, respond } from "../../http/carry-out.ts";
import type { Env } from "../../http/env.ts";
import { body, path } from "../../http/input.ts";
import { operation } from "../../http/openapi.ts";
import { isKnown, requiredOf } from "../../http/preconditions.ts";
import { byId } from "../../shapes.ts";
import { customerInput, deleteCustomer, findCustomer, putCustomer } from "./customer.ts";

const customerView = z.extend(customerInput, { id: z.uuid(), version: z.int() });

export function customers() {
  return new Hono<Env>()
    .get(
      "/customers/:id",
      operation({
        summary: "One customer",
        headers: ["If-None-Match"],
        answers: { 200: customerView, 304: null },
      }),
      path(byId),
      async (c) => {
        const customer = await findCustomer(c.env.databases.commands, c.req.valid("param").id);
        c.header("ETag", `"${customer.version}"`);
        return isKnown(c, customer.version) ? c.body(null, 304) : c.json(customer);
      },
    )
    .put(
      "/customers/:id",
      operation({
        summary: "Create or replace a customer",
        headers: ["If-Match", "If-None-Match"],
        answers: { 200: receipt, 201: receipt },
      }),
      path(byId),
      body(customerInput),
      async (c) => {
        const customer = await putCustomer(
          c.env.databases.commands,
          c.req.valid("param").id,
          c.req.valid("json"),
          requiredOf(c),
        );
        if (customer.version > 1) return respond(c, { ...customer, token: null }, 200);
        c.header("Location", c.req.path);
        return respond(c, { ...customer, token: null }, 201);
      },
    )
    .delete(
      "/customers/:id",
      operation({
        summary: "Delete a customer who has no orders",
        headers: ["If-Match", "If-None-Match"],
        answers: { 204: null },
      }),
      path(byId),
      async (c) => {
        await deleteCustomer(c.env.databases.commands, c.req.valid("param").id, requiredOf(c));
        return c.body(null, 204);
      },
    );
}
