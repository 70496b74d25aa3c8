import { createMemoryGallery } from "../../../../worker/gallery/memory.ts";
import { declareConformance } from "./conformance.ts";
import { EMPTY } from "./records.ts";

declareConformance("memory", (clock, test) => test(createMemoryGallery({ snapshot: EMPTY, now: () => clock.now })));
