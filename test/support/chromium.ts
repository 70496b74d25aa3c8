import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is on this machine. Says so, once a test file, if there is none. */
export const CHROMIUM: string | null = find();

/** Starts Chromium without a window. */
export function launchChromium(): Promise<Browser> {
  // Its sandbox does not work for root, as in containers.
  return chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
}

function find(): string | null {
  const folders = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  for (const path of folders.flatMap((folder) => NAMES.map((name) => `${folder}/${name}`))) {
    try {
      if (Deno.statSync(path).isFile) return path;
    } catch {
      // Not there.
    }
  }
  console.log(`What needs a browser is not tested: none of ${NAMES.join(", ")} is on the PATH (apt install chromium).`);
  return null;
}
