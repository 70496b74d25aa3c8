/** Whether a text is an origin as browsers send it. `null` is that of a page that was opened from a file. */
export function isOrigin(text: string): boolean {
  return text === "null" || URL.canParse(text) && new URL(text).origin === text;
}
