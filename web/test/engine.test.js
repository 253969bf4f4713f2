import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, layoutOf, scale } from "../src/engine/channels.js";
import { spanOf } from "../src/engine/range.js";
import { blended, restored } from "../src/engine/run.js";
import { bestTile, mirrored, windows } from "../src/engine/tiling.js";

const PLAIN = { alpha: false, inks: false, extra: 0 };
const CARD = { name: "test", channels: 3, input_size: null, multiple_of: 8, halo: 3 };

/** A picture of chance. @param {number} width @param {number} height @param {number} bands */
function picture(width, height, bands) {
  const data = Uint8Array.from({ length: width * height * bands }, (_, at) => (Math.imul(at + 1, 2654435761) >>> 16) & 255);
  return { data, width, height, bands };
}

/** The mean of a 7×7 neighbourhood, edges as zeros: a network of halo 3. @param {Float32Array} batch @param {number[]} dims */
async function box(batch, [count, channels, height, width]) {
  const result = new Float32Array(batch.length);
  for (let plane = 0; plane < count * channels; plane += 1) {
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        let sum = 0;
        for (let v = Math.max(0, y - 3); v <= Math.min(height - 1, y + 3); v += 1) {
          for (let u = Math.max(0, x - 3); u <= Math.min(width - 1, x + 3); u += 1) sum += batch[(plane * height + v) * width + u];
        }
        result[(plane * height + y) * width + x] = sum / 49;
      }
    }
  }
  return result;
}

test("tiles give what the whole gives, and cover every pixel once", async () => {
  for (const [width, height] of [
    [61, 45],
    [8, 100],
    [130, 17],
  ]) {
    const before = picture(width, height, 3);
    const layout = layoutOf(3, 3, PLAIN);
    assert.ok(layout);
    const span = { low: 0, high: 255 };
    const whole = await restored(before, layout, span, CARD, box, () => {}, 1 << 20);
    const shares = /** @type {number[]} */ ([]);
    const tiled = await restored(before, layout, span, CARD, box, (share) => shares.push(share), 1);
    assert.deepEqual(tiled.data, whole.data);
    assert.equal(shares.length > 1, width === 61 || width === 130);
    assert.equal(shares.at(-1), 1);
    const parts = windows(height, width, { rows: 16, columns: 24 }, 3, 8);
    assert.equal(
      parts.reduce((sum, part) => sum + (part.to - part.from) * (part.last - part.first), 0),
      width * height,
    );
    for (const part of parts) for (const side of [part.top, part.left, part.bottom, part.right]) assert.equal(side % 8, 0);
  }
});

test("a tile with its halo keeps to its pixels", () => {
  for (const [height, width] of [
    [4000, 6000],
    [100, 20000],
    [300, 300],
  ]) {
    const tile = bestTile(height, width, 75, 8, 5 << 17);
    assert.ok(Math.min(tile.rows + 160, height) * Math.min(tile.columns + 160, width) <= 5 << 17);
  }
});

test("edges are mirrored with the edge repeated", () => {
  assert.deepEqual(
    [...Array(10).keys()].map((at) => mirrored(at, 4)),
    [0, 1, 2, 3, 3, 2, 1, 0, 0, 1],
  );
});

test("every kind of channels finds its way, or none", () => {
  assert.deepEqual(layoutOf(1, 3, PLAIN)?.groups, [[0, 0, 0]]);
  assert.deepEqual(layoutOf(3, 1, PLAIN)?.groups, [[0], [1], [2]]);
  assert.deepEqual(layoutOf(4, 3, { ...PLAIN, alpha: true }), { groups: [[0, 1, 2]], inverted: false, alpha: 3, nodata: undefined });
  assert.deepEqual(layoutOf(4, 3, { ...PLAIN, inks: true })?.groups, [
    [0, 1, 2],
    [3, 3, 3],
  ]);
  assert.equal(layoutOf(5, 3, PLAIN), null);
});

test("transparency stays, and hidden colours neither change nor bleed", async () => {
  const before = picture(40, 40, 4);
  for (let at = 0; at < 1600; at += 1) {
    before.data.set(at % 40 < 20 ? [0, 0, 0, 0] : [200, 200, 200, 255], 4 * at);
  }
  const layout = layoutOf(4, 3, { ...PLAIN, alpha: true });
  assert.ok(layout);
  const after = await restored(before, layout, { low: 0, high: 255 }, { ...CARD }, box, () => {});
  const row = [...Array(40).keys()].map((x) => [...after.data.subarray(4 * (20 * 40 + x), 4 * (20 * 40 + x) + 4)]);
  assert.deepEqual(row[10], [0, 0, 0, 0]);
  assert.deepEqual(row[20], [200, 200, 200, 255]);
});

test("what is hidden is filled from near by, and far off kept on 0–1", () => {
  const hidden = new Uint8Array(64).map((_, x) => Number(x < 40));
  const planes = Float32Array.from(hidden, (each) => (each ? 7 : 0.25));
  fill(planes, hidden, 64);
  assert.ok(Math.abs(planes[39] - 0.25) < 1e-6);
  assert.equal(planes[0], 1);
});

test("numbers come back as they went", () => {
  for (const samples of [new Uint8Array(1), new Uint16Array(1)]) {
    const top = samples instanceof Uint8Array ? 255 : 65535;
    const { unit, stored } = scale(samples, { low: 0, high: top });
    for (let value = 0; value <= top; value += samples instanceof Uint8Array ? 1 : 97) assert.equal(stored(unit(value)), value);
    assert.equal(stored(1.5), top);
    assert.equal(stored(-0.5), 0);
  }
});

test("black and white are told from the data of 16 bits and floats", () => {
  /** @param {import("../src/engine/channels.js").Samples} data */
  const of = (data) => ({ data, width: data.length, height: 1, bands: 1 });
  const layout = layoutOf(1, 1, PLAIN);
  assert.ok(layout);
  assert.deepEqual(spanOf(of(Uint16Array.of(1, 4000)), layout, "tiff", undefined), { low: 0, high: 4095 });
  assert.deepEqual(spanOf(of(Uint16Array.of(1, 4000)), layout, "png", undefined), { low: 0, high: 65535 });
  assert.deepEqual(spanOf(of(Uint16Array.of(1, 4000)), layout, "tiff", 10000), { low: 0, high: 10000 });
  assert.deepEqual(spanOf(of(Float32Array.of(-5, 20)), layout, "tiff", undefined), { low: -5, high: 20 });
  assert.throws(() => spanOf(of(Float32Array.of(NaN, 1)), layout, "tiff", undefined), /no numbers/);
});

test("strength lies between as it was and as restored", () => {
  const [before, after] = [picture(4, 4, 3), picture(4, 4, 3)];
  after.data.fill(100);
  assert.deepEqual(blended(before, after, 0).data, before.data);
  assert.equal(blended(before, after, 1), after);
  blended(before, after, 0.5).data.forEach((value, at) => assert.equal(value, Math.round(before.data[at] + 0.5 * (100 - before.data[at]))));
});

test("a model that gives no numbers is refused", async () => {
  const layout = layoutOf(3, 3, PLAIN);
  assert.ok(layout);
  const broken = async (/** @type {Float32Array} */ batch) => batch.map(() => NaN);
  await assert.rejects(
    restored(picture(8, 8, 3), layout, { low: 0, high: 255 }, CARD, broken, () => {}),
    /no numbers/,
  );
});
