import assert from "node:assert/strict";
import addFormats from "ajv-formats";
import { Ajv2020 } from "ajv/2020";
import type { OpenApiDocument, ResponseObject } from "../../worker/contract/open_api.ts";

/** Something that was answered, read. */
export interface Answered {
  status: number;
  headers: Headers;
  body: unknown;
}

/** Checks answers by an OpenAPI document. */
export interface ContractCheck {
  /**
   * Fails if the answer is not one that the document tells of; what is at no path of the document is let pass.
   *
   * @param route method and path, as in `GET /model?x=1`
   */
  assertKept(route: string, answer: Answered): void;
  /** What was answered so far: operation and status, as in `match 200`. */
  seen: ReadonlySet<string>;
  /** What the document says may be answered. */
  told: ReadonlySet<string>;
}

/** @param document must be valid */
export function contractCheck(document: OpenApiDocument): ContractCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat("binary", true);
  ajv.addSchema(document, "openapi");
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, responses }]) => {
      const pattern = new RegExp(`^${method} ${path.replace(/\{\w+\}/g, "[^/]+")}$`, "i");
      return { operationId, responses, pattern, pointer: `openapi#/paths/${path.replaceAll("/", "~1")}/${method}` };
    })
  );
  const seen = new Set<string>();
  const validate = (pointer: string, body: unknown) => {
    const valid = ajv.validate({ $ref: encodeURI(pointer) }, body);
    assert.ok(valid, `${pointer}: ${ajv.errorsText()}: ${JSON.stringify(body).slice(0, 300)}`);
  };
  return {
    seen,
    told: new Set(operations.flatMap(({ operationId, responses }) => {
      return Object.keys(responses).map((status) => `${operationId} ${status}`);
    })),
    assertKept(route, { status, headers, body }) {
      const operation = operations.find(({ pattern }) => pattern.test(route.replace(/\?.*/, "")));
      if (operation === undefined) return;
      const told = operation.responses[status];
      assert.ok(told, `${route} answered ${status}, of which the document says nothing: ${JSON.stringify(body)}`);
      seen.add(`${operation.operationId} ${status}`);
      const shared = "$ref" in told ? told.$ref.split("/").at(-1)! : undefined;
      const response = shared === undefined ? told as ResponseObject : document.components.responses[shared];
      const pointer = shared === undefined
        ? `${operation.pointer}/responses/${status}`
        : `openapi#/components/responses/${shared}`;
      for (const name of Object.keys(response.headers)) {
        assert.ok(headers.has(name), `${route} ${status} has no ${name}`);
      }
      const types = Object.keys(response.content ?? {});
      assert.equal(headers.get("content-type"), types[0] ?? null, route);
      if (/json$/.test(types[0])) validate(`${pointer}/content/${types[0].replaceAll("/", "~1")}/schema`, body);
    },
  };
}
