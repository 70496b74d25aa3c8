import { html, raw } from "hono/html";
import type { JsonSchema, OpenApiDocument, Operation, Parameter, ResponseObject } from "../contract/open_api.ts";
import { type Html, schemaHtml } from "./schema.ts";
import { style } from "./style.ts";

/**
 * An OpenAPI document as one HTML page that loads nothing and runs nothing.
 *
 * @param nonce of the page's content security policy, without quotes
 */
export async function referencePage(document: OpenApiDocument, nonce: string): Promise<string> {
  const { info, components } = document;
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation }))
  );
  return String(
    await html`
      <!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <title>${info.title} reference</title>
          <link rel="icon" href="data:,">
          <style nonce="${nonce}">${raw(style)}</style>
        </head>
        <body>
          <nav aria-label="Routes">
            <h1><a href="/">${info.title}</a> <small>${info.version}</small></h1>
            <p>${info.description} For programs: <a href="/openapi.json">openapi.json</a>.</p>
            <ul>${operations.map(({ path, method, operation }) =>
              html`<li><a href="#${operation.operationId}"><b>${method}</b> ${path}</a></li>`
            )}</ul>
          </nav>
          <main>
      ${operations.map(({ path, method, operation }) => operationHtml(method, path, operation, components.responses))}
      <h2>Schemas</h2>
      ${Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema))}
          </main>
        </body>
      </html>
    `,
  );
}

function operationHtml(
  method: string,
  path: string,
  { operationId, summary, description, security, parameters, requestBody, responses }: Operation,
  shared: Record<string, ResponseObject>,
): Html {
  const scope = security?.flatMap(({ key = [] }) => key)[0];
  return html`<section id="${operationId}">
<h2><b class="${method}">${method}</b> <code>${path}</code></h2>
<p><strong>${summary}</strong></p>
${description === undefined ? "" : html`<p>${description}</p>`}
${scope === undefined ? "" : html`<p>Needs a key with the scope <code>${scope}</code>, where the worker has keys.</p>`}
${
    parameters.length === 0 ? "" : html`
      <h3>Parameters</h3>
      <dl>${parameters.map(parameterHtml)}</dl>
    `
  }
${
    requestBody === undefined ? "" : html`<h3>Body${requestBody.required ? "" : ", optional"}</h3>
<dl>${contentHtml(requestBody.content)}</dl>`
  }
<h3>Answers</h3>
<dl>${
    Object.entries(responses).map(([status, response]) =>
      answerHtml(status, "$ref" in response ? shared[response.$ref.split("/").at(-1)!] : response)
    )
  }</dl>
</section>`;
}

function parameterHtml({ name, in: place, required, description, schema, content }: Parameter): Html {
  const type = schema ?? content?.["application/json"].schema ?? {};
  return html`<dt><code>${name}</code> <small>${place}${required ? "" : ", optional"}</small></dt>
<dd>${schemaHtml(type)}${description === undefined ? "" : html`<p>${description}</p>`}</dd>`;
}

function contentHtml(content: Record<string, { schema: JsonSchema }>): Html[] {
  return Object.entries(content).map(([type, { schema }]) =>
    html`
      <dt><code>${type}</code></dt>
      <dd>${schemaHtml(schema)}</dd>
    `
  );
}

function answerHtml(status: string, { description, headers, content = {} }: ResponseObject): Html {
  const names = Object.keys(headers).filter((name) => name !== "x-request-id");
  return html`<dt class="${status[0] === "2" ? "good" : "bad"}">${status}</dt>
<dd><p>${description}${
    names.length === 0 ? "" : html`
      Headers: <code>${names.join(", ")}</code>.
    `
  }</p>
${status[0] === "2" ? html`<dl>${contentHtml(content)}</dl>` : ""}</dd>`;
}

function schemaSection(name: string, schema: JsonSchema): Html {
  return html`
    <section id="${name}">
      <h2>${name}</h2>
      <dl>
        <dd>${schemaHtml(schema)}</dd>
      </dl>
    </section>
  `;
}
