/**
 * Keeps zod from trying whether it may compile code, which the content security policies of pages forbid and report. To be
 * imported before all that makes schemas.
 *
 * @module
 */
import { config } from "zod";

config({ jitless: true });
