/**
 * The headers of a page that loads nothing from elsewhere and runs nothing but its own.
 *
 * @param nonce of its scripts and styles
 * @param options.runsWasm whether it may compile WebAssembly
 */
export function pageHeaders(nonce: string, { runsWasm = false } = {}) {
  return {
    "content-security-policy": `default-src 'none'; script-src 'nonce-${nonce}'${
      runsWasm ? " 'wasm-unsafe-eval'" : ""
    }; style-src 'nonce-${nonce}'; img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'`,
    "referrer-policy": "no-referrer",
  };
}
