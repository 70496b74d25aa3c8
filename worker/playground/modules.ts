import camera from "./camera.js" with { type: "text" };
import dom from "./dom.js" with { type: "text" };
import gallery from "./gallery.js" with { type: "text" };
import main from "./main.js" with { type: "text" };
import map from "./map.js" with { type: "text" };
import matches from "./matches.js" with { type: "text" };
import scale from "./scale.js" with { type: "text" };
import worker from "./worker.js" with { type: "text" };

/** The playground's program by file name: modules as the browser runs them, part of the worker wherever it is bundled. */
export const MODULES: ReadonlyMap<string, string> = new Map(
  Object.entries({ camera, dom, gallery, main, map, matches, scale, worker }).map(([name, text]) => {
    return [`${name}.js`, text];
  }),
);
