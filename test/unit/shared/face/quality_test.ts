import assert from "node:assert/strict";
import type { QualityLimits } from "../../../../shared/card.ts";
import { failedMeasures, type Point, qualityOf } from "../../../../shared/face/mod.ts";

const LIMITS: QualityLimits = {
  ...{ minEyeDistance: 24, minSharpness: 0.05, maxRoll: 30, maxYaw: 35, maxPitch: 35 },
  ...{ minBrightness: 0.15, maxBrightness: 0.9, minContrast: 0.06 },
};
const SIZE = 60;

/** A face of 100 pixels seen from the front: the points that pose is measured by, the others at its middle. */
function frontal(): Point[] {
  const points = Array.from({ length: 68 }, () => ({ x: 50, y: 60 }));
  points[1] = { x: 5, y: 50 };
  points[15] = { x: 95, y: 50 };
  points.fill({ x: 30, y: 40 }, 36, 42).fill({ x: 70, y: 40 }, 42, 48).fill({ x: 50, y: 90 }, 48, 60);
  points[30] = { x: 50, y: 66 };
  return points;
}

function turned(points: Point[], degrees: number): Point[] {
  const cos = Math.cos(degrees * Math.PI / 180), sin = Math.sin(degrees * Math.PI / 180);
  return points.map(({ x, y }) => ({ x: cos * x - sin * y, y: sin * x + cos * y }));
}

/** Squares of 6 pixels, darker and lighter than `mean`, 0..1. */
function checked(mean: number, swing: number): Uint8Array {
  return Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const x = Math.floor(i / 3) % SIZE, y = Math.floor(i / 3 / SIZE);
    const sign = (Math.floor(x / 6) + Math.floor(y / 6)) % 2 === 0 ? 1 : -1;
    return Math.round(255 * (mean + sign * swing));
  });
}

/** The same, each pixel the average of those around it. */
function blurred(rgb: Uint8Array, radius: number): Uint8Array {
  return rgb.map((_, i) => {
    const x = Math.floor(i / 3) % SIZE, y = Math.floor(i / 3 / SIZE), c = i % 3;
    let sum = 0, count = 0;
    for (let v = Math.max(0, y - radius); v <= Math.min(SIZE - 1, y + radius); v++) {
      for (let u = Math.max(0, x - radius); u <= Math.min(SIZE - 1, x + radius); u++, count++) {
        sum += rgb[3 * (v * SIZE + u) + c];
      }
    }
    return sum / count;
  });
}

const good = checked(0.5, 0.2);

Deno.test("qualityOf() of a face from the front finds no turn, and the distance of the eyes", () => {
  const { roll, yaw, pitch, eyeDistance } = qualityOf(frontal(), good);
  assert.equal(eyeDistance, 40);
  for (const angle of [roll, yaw, pitch]) assert.ok(Math.abs(angle) < 1, `${angle}`);
  assert.deepEqual(failedMeasures(qualityOf(frontal(), good), LIMITS), []);
});

Deno.test("qualityOf() measures by how much a head leans, whatever else it does", () => {
  const { roll, yaw, pitch } = qualityOf(turned(frontal(), 20), good);
  assert.ok(Math.abs(roll - 20) < 1e-6);
  assert.ok(Math.abs(yaw) < 1 && Math.abs(pitch) < 1);
});

Deno.test("qualityOf() sees a head turned where the nose is nearer to one side, and lowered where it is nearer to the mouth", () => {
  const face = frontal();
  face[30] = { x: 75, y: 66 };
  assert.deepEqual(failedMeasures({ ...qualityOf(face, good), pitch: 0 }, { ...LIMITS, maxYaw: 30 }), ["yaw"]);
  assert.ok(qualityOf(face, good).yaw > 30);
  face[30] = { x: 50, y: 82 };
  assert.ok(qualityOf(face, good).pitch > 20);
});

Deno.test("qualityOf() gives a blurred face less sharpness, and one in another light the same", () => {
  const sharp = qualityOf(frontal(), good).sharpness;
  const [slightly, much] = [1, 3].map((radius) => qualityOf(frontal(), blurred(good, radius)).sharpness);
  assert.ok(sharp > 1.5 * slightly && slightly > 1.5 * much, `${sharp} ${slightly} ${much}`);
  const dim = qualityOf(frontal(), checked(0.3, 0.1)).sharpness;
  assert.ok(Math.abs(dim / sharp - 1) < 0.05);
});

Deno.test("failedMeasures() names each measure that is not good enough", () => {
  const small = frontal().map(({ x, y }) => ({ x: x / 3, y: y / 3 }));
  assert.deepEqual(failedMeasures(qualityOf(small, good), LIMITS), ["eyeDistance"]);
  assert.deepEqual(failedMeasures(qualityOf(turned(frontal(), 45), good), LIMITS), ["roll"]);
  assert.deepEqual(failedMeasures(qualityOf(frontal(), checked(0.1, 0.08)), LIMITS), ["brightness"]);
  assert.deepEqual(failedMeasures(qualityOf(frontal(), checked(0.5, 0.03)), LIMITS), ["contrast"]);
});
