import { z } from "zod";
import manifest from "../deno.json" with { type: "json" };
import { ProblemBody, type ProblemStatus, TITLES } from "../middleware/problem.ts";
import { mediaTypesOf } from "./content.ts";
import {
  type AnswerContract,
  type BodyContract,
  type Contract,
  type HeaderName,
  HEADERS,
  problemsOf,
} from "./contract.ts";
import type { JsonSchema, OpenApiDocument, Operation, Parameter, ResponseObject } from "./open_api.ts";

/** A route as Hono lists it. */
interface Route {
  method: string;
  path: string;
  handler: unknown;
}

const PROBLEMS: Record<ProblemStatus, string> = {
  400: "The request is malformed: an address, a parameter or a body.",
  401: "There is no key, or one that is not known.",
  403:
    "The key lacks the scope, is limited to other collections, or works on other origins' pages; or the worker has " +
    "no keys, and the request does not come from its own machine and pages; or it does not search for faces.",
  404: "The collection, subject or image is not there.",
  405: "The gallery is read-only.",
  408: "The body arrives too slowly.",
  409: "The embedding is another model's, or the idempotency key was used for another image.",
  412: "The subject has another ETag than If-Match says.",
  413: "The body is larger than the worker takes.",
  415: "The body, or the image in it, is of a type that is not supported.",
  422:
    "The image cannot be decoded or has more pixels than the worker takes, it does not show the face that is needed (the " +
    "type says why), or the embedding is none of its model's.",
  429: "The key has made as many requests as it may in this minute.",
  500: "Something unexpected failed.",
  503:
    "The worker has more to do than it takes on, is shutting down, cannot read its keys, or cannot write its gallery; " +
    "nothing was changed.",
  507: "The gallery has no room left; nothing was changed.",
};

const BINARY: JsonSchema = { type: "string", format: "binary", minLength: 1 };
const KEY = "One of TRIPTYCH_KEYS. If it has a limit, every answer that it gets tells of it with `RateLimit` and " +
  "`RateLimit-Policy`.";

const PROBLEM_HEADERS: Partial<Record<ProblemStatus, HeaderName[]>> = {
  401: ["www-authenticate"],
  405: ["allow"],
  429: ["retry-after", "ratelimit", "ratelimit-policy"],
  503: ["retry-after"],
};

/**
 * The OpenAPI document of all routes that have a contract.
 *
 * @param routes as `app.routes`
 * @param needsKeys whether requests without a key are refused
 */
export function openApiDocument(routes: readonly Route[], needsKeys: boolean): OpenApiDocument {
  const paths: OpenApiDocument["paths"] = {};
  for (const { method, path, handler } of routes) {
    const contract = (handler as { contract?: Contract }).contract;
    if (contract === undefined) continue;
    const operations = paths[path.replaceAll(/:(\w+)/g, "{$1}")] ??= {};
    operations[method.toLowerCase()] = operationOf(contract, needsKeys);
  }
  const document: OpenApiDocument = {
    openapi: "3.1.0",
    info: {
      title: "Triptych",
      version: manifest.version,
      description: "Matches products or faces: an image in, who it is and how sure that is out.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    paths,
    components: {
      schemas: {},
      responses: problemResponses(),
      headers: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => {
          return [name, { description, required: true, schema: { type: "string" } }];
        }),
      ),
      securitySchemes: { key: { type: "http", scheme: "bearer", description: KEY } },
    },
  };
  return withSharedSchemas(document);
}

/** zod keeps the schemas that have a name beside each schema that refers to them; OpenAPI keeps all in one place. */
function withSharedSchemas(document: OpenApiDocument): OpenApiDocument {
  const schemas: Record<string, JsonSchema> = {};
  const text = JSON.stringify(document, (key, value) => {
    if (key !== "$defs") return value;
    Object.assign(schemas, value);
    return undefined;
  });
  const lean: OpenApiDocument = JSON.parse(text);
  lean.components.schemas = schemas;
  return JSON.parse(JSON.stringify(lean).replaceAll('"#/$defs/', '"#/components/schemas/'));
}

function operationOf(contract: Contract, needsKeys: boolean): Operation {
  const { id, summary, description, scope, body, answers } = contract;
  const key = { key: scope === undefined ? [] : [scope] };
  return {
    operationId: id,
    summary,
    ...description !== undefined && { description },
    ...scope !== undefined && { security: needsKeys ? [key] : [{}, key] },
    parameters: [
      ...parametersOf("path", contract.params),
      ...parametersOf("query", contract.query),
      ...parametersOf("header", contract.headers),
    ],
    ...body !== undefined && { requestBody: requestBodyOf(body) },
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, answer]) => [status, responseOf(answer)]),
      ),
      ...Object.fromEntries(
        problemsOf(contract).map((status) => {
          return [status, { $ref: `#/components/responses/${nameOf(status)}` }];
        }),
      ),
    },
  };
}

/** What is sent as text is described as what it is read as. */
function parametersOf(place: Parameter["in"], object: z.ZodObject | undefined): Parameter[] {
  return Object.entries(object?.shape ?? {}).map(([name, field]) => {
    const { description, ...schema } = schemaOf(field as z.ZodType, "output");
    return {
      name,
      in: place,
      required: !(field as z.ZodType).safeParse(undefined).success,
      description,
      ...schema.type === "object" ? { content: { "application/json": { schema } } } : { schema },
    };
  });
}

function requestBodyOf(body: BodyContract): NonNullable<Operation["requestBody"]> {
  const { form, json, optional = false } = body;
  const content = mediaTypesOf(body).map((type) => {
    if (type === "multipart/form-data" && form !== undefined) {
      return [type, { schema: schemaOf(form, "output") }];
    }
    if (type === "application/json" && json !== undefined) return [type, { schema: schemaOf(json, "input") }];
    return [type, { schema: BINARY }];
  });
  return { required: !optional, content: Object.fromEntries(content) };
}

function responseOf({ description, json, text, bytes, headers = [] }: AnswerContract): ResponseObject {
  const described = { description, headers: headersOf(headers) };
  if (json !== undefined) {
    return { ...described, content: { "application/json": { schema: schemaOf(json, "output") } } };
  }
  if (text !== undefined) return { ...described, content: { [text]: { schema: { type: "string" } } } };
  if (bytes === undefined) return described;
  return { ...described, content: { [bytes]: { schema: BINARY } } };
}

function problemResponses(): Record<string, ResponseObject> {
  const schema = schemaOf(ProblemBody, "output");
  return Object.fromEntries(
    Object.entries(PROBLEMS).map(([text, description]) => {
      const status = Number(text) as ProblemStatus;
      const headers = headersOf(PROBLEM_HEADERS[status] ?? []);
      return [nameOf(status), { description, headers, content: { "application/problem+json": { schema } } }];
    }),
  );
}

function headersOf(names: readonly HeaderName[]): ResponseObject["headers"] {
  return Object.fromEntries(
    (["x-request-id", ...names] as const).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  );
}

function nameOf(status: ProblemStatus): string {
  return TITLES[status].replaceAll(" ", "");
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    io,
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === "file") delete jsonSchema.contentEncoding;
      // The format says it to people and programs.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // zod bounds every whole number by what a double holds.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  return described;
}
