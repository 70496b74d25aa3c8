import type { Gallery } from "../gallery/gallery.ts";
import type { AuditLog } from "./audit_log.ts";
import type { AuditEvent } from "./chain.ts";

/**
 * A gallery whose enrolments and deletions are written down before they are acknowledged. A request that is repeated with
 * its idempotency key is written down again, with the image that it made.
 */
export function auditedGallery(gallery: Gallery, audit: AuditLog): Gallery {
  const audited = async <T>(change: () => Promise<T>, eventOf: (result: T) => AuditEvent): Promise<T> => {
    await audit.assertWritable();
    const result = await change();
    await audit.append(eventOf(result));
    return result;
  };
  return {
    ...gallery,
    addImage: (collection, subject, ...rest) =>
      audited(
        () => gallery.addImage(collection, subject, ...rest),
        ({ image }) => ({ action: "enrol", collection, subject, image }),
      ),
    deleteImage: (collection, subject, image, condition) =>
      audited(
        () => gallery.deleteImage(collection, subject, image, condition),
        () => ({ action: "delete-image", collection, subject, image }),
      ),
    deleteSubject: (collection, subject, condition) =>
      audited(
        () => gallery.deleteSubject(collection, subject, condition),
        () => ({ action: "delete-subject", collection, subject }),
      ),
    deleteCollection: (collection) =>
      audited(() => gallery.deleteCollection(collection), () => ({ action: "delete-collection", collection })),
    async close() {
      await gallery.close();
      await audit.close();
    },
  };
}
