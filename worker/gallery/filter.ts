/**
 * Whether a JSON value contains another: an object contains one whose every member it contains under the same name, an
 * array contains one whose every element some element of it contains, anything else must be equal (as Postgres's `@>`).
 */
export function contains(value: unknown, part: unknown): boolean {
  if (Array.isArray(part)) {
    return Array.isArray(value) && part.every((wanted) => value.some((item) => contains(item, wanted)));
  }
  if (part !== null && typeof part === "object") {
    return value !== null && typeof value === "object" && !Array.isArray(value) &&
      Object.entries(part).every(([name, wanted]) =>
        Object.hasOwn(value, name) && contains((value as Record<string, unknown>)[name], wanted)
      );
  }
  return value === part;
}
