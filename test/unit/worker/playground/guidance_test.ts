import assert from "node:assert/strict";
import { readModelFiles } from "../../../../shared/model_files.ts";
import { guidanceOf } from "../../../../worker/playground/guidance.js";

const { card } = await readModelFiles("samples/face-model");
const limits = card.face!.quality;
const good = { eyeDistance: 80, sharpness: 0.2, roll: 0, yaw: 0, pitch: 0, brightness: 0.5, contrast: 0.2 };
const guidance = (changes: Partial<typeof good>) => guidanceOf([{ quality: { ...good, ...changes } }], limits);

Deno.test("guidanceOf() says nothing of a face that is good enough", () => assert.equal(guidance({}), null));

Deno.test("guidanceOf() says what to do about each measure that is not", () => {
  assert.equal(guidance({ eyeDistance: 10 }), "Come closer.");
  assert.equal(guidance({ brightness: 0.05 }), "More light, please.");
  assert.equal(guidance({ contrast: 0.01 }), "More light, please.");
  assert.equal(guidance({ brightness: 0.99 }), "Less light, please.");
  assert.equal(guidance({ roll: -40 }), "Hold your head upright.");
  assert.equal(guidance({ yaw: 50 }), "Turn your face to the camera.");
  assert.equal(guidance({ pitch: -50 }), "Look straight ahead.");
  assert.equal(guidance({ sharpness: 0.001 }), "Hold still.");
});

Deno.test("guidanceOf() asks for a face where there is none, and for one person where there are several", () => {
  assert.equal(guidanceOf([], limits), "Look into the camera.");
  assert.equal(guidanceOf([{ quality: good }, { quality: good }], limits), "One person at a time, please.");
});
