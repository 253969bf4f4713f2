/**
 * What an image shows before it is restored. Noise is told from the flattest blocks (the operator of Immerkær, "Fast noise variance
 * estimation", 1996), blur from how much the strongest edges lose when they are blurred once more (Zhuo and Sim, "Defocus map estimation
 * from a single image", 2011): as `burnish restore` tells them.
 */

import { blockMeans, grey, quantile } from "./parts.js";
import { mirrored } from "./tiling.js";

/** @typedef {import("./parts.js").Part} Part */
/**
 * Noise as sigma on the 0–255 scale (`grain`: noise that neighbours share, as demosaicking leaves it), blur as sigma in pixels; null
 * where it is too small or too even to tell.
 * @typedef {{noise: number | null, grain: number, blur: number | null}} Finding
 */

const BLOCK = 16; // pixels a side of the blocks whose flattest tell the noise
const FLATTEST = 0.05; // share of blocks that are as flat or flatter than the one that tells
const LOW_BIAS = 0.91; // what that one shows of the true noise
const GRAINS = [
  [1.5, 3.5],
  [4.0, 2.5],
]; // noise two pixels apart, and how many times that of neighbours, from which it is a sensor's
const PROBE = 1.0; // sigma of the blur that edges are probed with
const EDGES = 0.002; // share of pixels taken for the strongest edges

/** @param {Part[]} samples NaN where nothing is seen @returns {Finding} */
export function examined(samples) {
  const [near, far] = [noiseLevels(samples, 1), noiseLevels(samples, 2)];
  const noise = near.length ? quantile(near, FLATTEST) / LOW_BIAS : null;
  const floor = near.length ? quantile(near, 0.01) : 0;
  const raw = far.length ? quantile(far, 0.01) : 0;
  const grain = GRAINS.some(([least, ratio]) => raw > least && raw > ratio * floor) ? raw : 0;
  return { noise, grain, blur: edgeBlur(samples, Math.max(noise ?? 0, grain)) };
}

/**
 * The noise in each block that is neither black nor white, between pixels `step` apart, sorted.
 * @param {Part[]} samples
 * @param {number} step
 */
function noiseLevels(samples, step) {
  /** @type {number[]} */
  const levels = [];
  for (const sample of samples) {
    if (Math.min(sample.height, sample.width) < BLOCK + 2 * step) continue;
    const sigmas = blockMeans(response(sample, step), BLOCK, (value) => value * value).map(Math.sqrt);
    const means = blockMeans(inner(sample, step), BLOCK, (value) => value);
    for (let band = 0; band < sample.bands; band += 1) {
      const own = [...sigmas.keys()].filter((at) => at % sample.bands === band);
      const within = own.filter((at) => means[at] > 0.04 && means[at] < 0.96); // where noise is clipped there seems to be less
      const told = within.length ? within : own.filter((at) => Number.isFinite(sigmas[at]));
      for (const at of told) levels.push(255 * sigmas[at]);
    }
  }
  return Float64Array.from(levels).sort();
}

/** A part without `step` pixels at each edge. @param {Part} part @param {number} step @returns {Part} */
function inner(part, step) {
  const [height, width] = [part.height - 2 * step, part.width - 2 * step];
  const data = new Float32Array(height * width * part.bands);
  for (let y = 0; y < height; y += 1) {
    const from = ((y + step) * part.width + step) * part.bands;
    data.set(part.data.subarray(from, from + width * part.bands), y * width * part.bands);
  }
  return { data, width, height, bands: part.bands };
}

/** The difference of two Laplacians, `step` pixels apart, over 6. @param {Part} part @param {number} step @returns {Part} */
function response(part, step) {
  const result = inner(part, step);
  const [across, down] = [step * part.bands, step * part.width * part.bands];
  let to = 0;
  for (let y = 0; y < result.height; y += 1) {
    let at = ((y + step) * part.width + step) * part.bands;
    for (let x = 0; x < result.width * part.bands; x += 1, at += 1, to += 1) {
      let sum = 0;
      for (const [row, weight] of [
        [at - down, 1],
        [at, -2],
        [at + down, 1],
      ]) {
        sum += weight * (part.data[row - across] - 2 * part.data[row] + part.data[row + across]);
      }
      result.data[to] = sum / 6;
    }
  }
  return result;
}

/**
 * The blur of the sharpest of the strongest edges: at one of width s, a blur p divides the slope by √(1 + p² / s²).
 * @param {Part[]} samples
 * @param {number} noise
 */
function edgeBlur(samples, noise) {
  /** @type {{before: Float32Array[], after: Float32Array[]}} */
  const planes = { before: [], after: [] };
  for (const sample of samples) {
    if (Math.min(sample.height, sample.width) < BLOCK + 2) continue;
    const plane = grey(sample);
    planes.before.push(slopes(plane, sample.width));
    planes.after.push(slopes(blurred(plane, sample.width), sample.width));
  }
  const [before, after] = [joined(planes.before), joined(planes.after)];
  const sorted = after.filter((value, at) => Number.isFinite(value) && Number.isFinite(before[at])).sort();
  if (!sorted.length) return null;
  const least = Math.max(quantile(sorted, 1 - EDGES), 0.02 + noise / 255);
  /** @type {number[]} */
  const ratios = [];
  after.forEach((value, at) => value >= least && Number.isFinite(before[at]) && ratios.push(before[at] / value));
  if (ratios.length < 20) return null;
  const ratio = quantile(Float64Array.from(ratios).sort(), 0.75);
  return PROBE / Math.sqrt(Math.max(ratio ** 2 - 1, 1e-3));
}

/** @param {Float32Array[]} parts */
function joined(parts) {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}

/** A plane under a Gaussian of PROBE, support to 6 sigma, edges mirrored. @param {Float32Array} plane @param {number} width */
function blurred(plane, width) {
  const radius = Math.floor(6 * PROBE + 0.5);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, at) => Math.exp(-0.5 * ((at - radius) / PROBE) ** 2));
  const total = taps.reduce((sum, tap) => sum + tap, 0);
  const height = plane.length / width;
  /** @param {Float64Array | Float32Array} from @param {number} length @param {number} stride @param {number} lines @param {number} apart */
  const along = (from, length, stride, lines, apart) => {
    const result = new Float64Array(from.length);
    for (let at = 0; at < length; at += 1) {
      for (let offset = -radius; offset <= radius; offset += 1) {
        const place = at + offset < 0 ? mirrored(-1 - at - offset, length) : mirrored(at + offset, length);
        const weight = taps[offset + radius] / total;
        for (let line = 0; line < lines; line += 1) result[line * apart + at * stride] += weight * from[line * apart + place * stride];
      }
    }
    return result;
  };
  return Float32Array.from(along(along(plane, height, width, width, 1), width, 1, height, width));
}

/**
 * How steep a plane is at each pixel: central differences, at the edges between neighbours.
 * @param {Float32Array} plane
 * @param {number} width
 */
function slopes(plane, width) {
  const height = plane.length / width;
  return plane.map((_, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const [left, right] = [Math.max(0, x - 1), Math.min(width - 1, x + 1)];
    const [up, down] = [Math.max(0, y - 1), Math.min(height - 1, y + 1)];
    return Math.hypot(
      (plane[y * width + right] - plane[y * width + left]) / (right - left),
      (plane[down * width + x] - plane[up * width + x]) / (down - up),
    );
  });
}
