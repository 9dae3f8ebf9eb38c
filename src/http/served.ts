import { Hono } from "hono";
import { NotFound } from "../errors.ts";
import type { Env } from "./env.ts";

/** The part of the API that a process serves. */
export type Served = "all" | "commands" | "queries";

/** Replaces the routes of another process: each answers 404, and names the part that is served here. */
export function elsewhere<Routes extends Pick<Hono<Env>, "routes">>(routes: Routes, served: Served): Routes {
  const refusing = new Hono<Env>();
  for (const { method, path } of routes.routes) {
    refusing.on(method, path, ({ req }) => {
      throw new NotFound(`Cannot find ${req.method} ${req.path} here: this process serves ${served} only`);
    });
  }
  return refusing as unknown as Routes;
}
