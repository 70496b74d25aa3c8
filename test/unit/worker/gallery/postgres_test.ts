import { openPostgresGallery } from "../../../../worker/gallery/postgres.ts";
import { startPostgres } from "../../../support/postgres.ts";
import { declareConformance } from "./conformance.ts";
import { EMPTY } from "./records.ts";

const server = await startPostgres();
Deno.test.afterAll(() => server.stop());

declareConformance("postgres", async (clock, test) => {
  const url = await server.makeDatabase();
  const gallery = await openPostgresGallery({ url, model: EMPTY, now: () => clock.now });
  try {
    await test(gallery);
  } finally {
    await gallery.close();
  }
});
