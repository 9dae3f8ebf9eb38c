import type { Hono, MiddlewareHandler } from "hono";
import * as z from "zod/mini";

/** The part of an operation's description that belongs to a middleware. */
export interface Description {
  summary?: string;
  body?: z.ZodMiniType;
  path?: z.ZodMiniType;
  query?: z.ZodMiniType;
  /** True when only the operator may call the operation. */
  secured?: true;
  /** The names of the request headers in use. */
  headers?: string[];
  /** The shape of the answer by status code; null for an answer without a body. */
  answers?: Record<number, z.ZodMiniType | null>;
  /** Codes of the 422 problems. */
  rejections?: string[];
}

const descriptions = new WeakMap<object, Description>();

/** Adds a description for the OpenAPI document to a middleware. */
export function describe<Handler extends MiddlewareHandler>(
  description: Description,
  handler: Handler,
): Handler {
  descriptions.set(handler, description);
  return handler;
}

/** Returns a middleware that only describes the operation. */
export function operation(description: Description): MiddlewareHandler {
  return describe(description, (_c, next) => next());
}

const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  code: z.string(),
  errors: z.optional(z.array(z.object({ pointer: z.string(), detail: z.string() }))),
}).check(z.meta({ description: "RFC 9457 problem details" }));

/** Returns the OpenAPI 3.1 document of all described routes. */
export function openApi(
  app: Pick<Hono, "routes">,
  info: { title: string; version: string; description: string },
) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [key, description] of collect(app)) {
    const [method = "", route = ""] = key.split(" ");
    (paths[route] ??= {})[method] = toOperation(description);
  }
  return {
    openapi: "3.1.0",
    info,
    paths,
    components: {
      schemas: { Problem: toSchema(problem, "output") },
      securitySchemes: { operator: { type: "http", scheme: "bearer" } },
    },
  };
}

function collect(app: Pick<Hono, "routes">): Map<string, Description> {
  const operations = new Map<string, Description>();
  for (const { method, path, handler } of app.routes) {
    const description = descriptions.get(handler);
    if (!description || method === "ALL") continue;
    const key = `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`;
    operations.set(key, { ...operations.get(key), ...description });
  }
  return operations;
}

function toOperation(
  { summary, secured, body, path, query, headers = [], answers = {}, rejections = [] }: Description,
) {
  const problems = { description: "A problem", content: { "application/problem+json": { schema: PROBLEM } } };
  return {
    summary,
    ...secured && { security: [{ operator: [] }] },
    parameters: [
      ...toParameters(path, "path"),
      ...toParameters(query, "query"),
      ...headers.map((name) => ({ name, in: "header", required: false, schema: { type: "string" } })),
    ],
    ...body &&
      {
        requestBody: { required: true, content: { "application/json": { schema: toSchema(body, "input") } } },
      },
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, shape]) => [status, {
          description: "Success",
          ...shape && { content: { "application/json": { schema: toSchema(shape, "output") } } },
        }]),
      ),
      ...rejections.length > 0 && { 422: { ...problems, description: `Rejected: ${rejections.join(", ")}` } },
      default: problems,
    },
  };
}

const PROBLEM = { $ref: "#/components/schemas/Problem" };

function toParameters(shape: z.ZodMiniType | undefined, place: "path" | "query") {
  if (!shape) return [];
  const { properties = {}, required = [] } = toSchema(shape, "input");
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema,
  }));
}

function toSchema(shape: z.ZodMiniType, io: "input" | "output") {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io, unrepresentable: "any" });
  return schema;
}
