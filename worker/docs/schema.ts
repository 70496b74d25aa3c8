import { html } from "hono/html";
import type { JsonSchema } from "../contract/open_api.ts";

/** A piece of HTML in which everything from elsewhere is escaped. */
export type Html = ReturnType<typeof html>;

/** What a JSON Schema admits, in words; of an object, its members as a list. */
export function schemaHtml(schema: JsonSchema): Html {
  const members = membersOf(schema);
  return html`${typeHtml(schema)}${members.length === 0 ? "" : html`<ul class="members">${members}</ul>`}`;
}

/** The type of a JSON Schema in a few words, with its bounds. */
export function typeHtml(schema: JsonSchema): Html {
  const { $ref, anyOf, items } = schema;
  if ($ref !== undefined) {
    const name = $ref.split("/").at(-1)!;
    return html`<a href="#${name}">${name}</a>`;
  }
  if (anyOf !== undefined) return html`${joined(anyOf.map((option) => typeHtml(option as JsonSchema)), " or ")}`;
  if (items !== undefined) return html`array of ${typeHtml(items as JsonSchema)}${boundsOf(schema)}`;
  return html`${wordOf(schema)}${boundsOf(schema)}`;
}

function membersOf(schema: JsonSchema): Html[] {
  const objects = [schema, schema.items, ...schema.anyOf ?? []] as (JsonSchema | undefined)[];
  const variants = objects.filter((object) => object?.properties !== undefined);
  return variants.flatMap((object, i) => [
    ...i === 0 ? [] : [html`<li class="or">or</li>`],
    ...Object.entries(object!.properties!).map(([name, member]) => {
      const optional = object!.required?.includes(name) ? "" : html`
        <small>optional</small>
      `;
      const { description } = member as JsonSchema;
      return html`<li><code>${name}</code>${optional} ${schemaHtml(member as JsonSchema)}
        ${description === undefined ? "" : html`<p>${description}</p>`}</li>`;
    }),
  ]);
}

function wordOf({ type, format, contentEncoding, enum: values, const: constant }: JsonSchema): string {
  if (constant !== undefined) return JSON.stringify(constant);
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(" or ");
  if (format === "binary") return "file";
  return [contentEncoding ?? format, [type ?? "anything"].flat().join(" or ")].filter(Boolean).join(" ");
}

function boundsOf(schema: JsonSchema): string {
  const { minItems = 0, maxItems } = schema;
  const bounds = [
    [">", schema.exclusiveMinimum],
    ["≥", schema.minimum],
    ["<", schema.exclusiveMaximum],
    ["≤", schema.maximum],
    ["default", JSON.stringify(schema.default)],
  ].filter(([, value]) => value !== undefined).map((bound) => bound.join(" "));
  const count = maxItems === undefined ? "" : `, ${minItems} to ${maxItems} of them`;
  return count + (bounds.length === 0 ? "" : ` ${bounds.join(", ")}`);
}

function joined(pieces: Html[], separator: string): Html[] {
  return pieces.map((piece, i) => i === 0 ? piece : html`${separator}${piece}`);
}
