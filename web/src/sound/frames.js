/** Frames of 32 ms at any rate, samples to spectra and back: those of src/burnish/audio/frames.py, which says why. */

import { Transform, factorsOf } from "./fft.js";

const HOP = 256; // samples from frame to frame at 16 kHz
export const BINS = HOP + 1;
export const TAPS = 3; // frames that a restored one is made of
export const [LOWEST, HIGHEST] = [4_000, 400_000]; // rates in Hz
const RATE = 16_000;

/** Samples from frame to frame at a rate: 16 ms, moved by at most 1 % to a number whose transforms are quick. @param {number} rate */
export function hop(rate) {
  const ideal = (HOP * rate) / RATE;
  const reach = Math.max(1, Math.floor(ideal * 0.01));
  const middle = Math.round(ideal);
  /** @param {number} each @returns {[number, number, number]} */
  const rank = (each) => [
    Number(Math.abs(each - ideal) > 0.003 * ideal),
    factorsOf(each).reduce((sum, factor) => sum + (each > 1 ? factor : 0), 0),
    Math.abs(each - ideal),
  ];
  let best = middle;
  let found = false;
  for (let each = Math.max(1, middle - reach); each <= middle + reach; each += 1) {
    if (Math.max(...factorsOf(each)) > 11) continue;
    if (!found || isLess(rank(each), rank(best))) best = each;
    found = true;
  }
  return best;
}

/** @param {number[]} one @param {number[]} other */
function isLess(one, other) {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at >= 0 && one[at] < other[at];
}

/** Frames that begin every `step` samples, each of two steps. */
export class Frames {
  /** @param {number} step */
  constructor(step) {
    this.step = step;
    this.bins = step + 1;
    this.transform = new Transform(2 * step);
    this.window = Float32Array.from({ length: 2 * step }, (_, at) => Math.sin((Math.PI * at) / (2 * step)));
    this.frame = new Float32Array(2 * step);
  }

  /**
   * The spectra of the frames in (n + 1)·step samples: n·bins complex numbers, on the scale that the same sound has at 16 kHz.
   * @param {Float32Array} samples
   */
  spectra(samples) {
    const count = samples.length / this.step - 1;
    const result = new Float32Array(count * this.bins * 2);
    for (let at = 0; at < count; at += 1) {
      for (let index = 0; index < 2 * this.step; index += 1) this.frame[index] = samples[at * this.step + index] * this.window[index];
      this.transform.forward(this.frame, result.subarray(2 * at * this.bins, 2 * (at + 1) * this.bins));
    }
    const scale = HOP / this.step;
    if (scale !== 1) for (let at = 0; at < result.length; at += 1) result[at] *= scale;
    return result;
  }

  /**
   * The samples of n spectra, (n + 1)·step of them; the first and last step lack a frame.
   * @param {Float32Array} spectra
   */
  samples(spectra) {
    const count = spectra.length / (2 * this.bins);
    const result = new Float32Array((count + 1) * this.step);
    const scale = this.step / HOP;
    for (let at = 0; at < count; at += 1) {
      this.transform.backward(spectra.subarray(2 * at * this.bins, 2 * (at + 1) * this.bins), this.frame);
      for (let index = 0; index < 2 * this.step; index += 1) {
        result[at * this.step + index] += this.frame[index] * this.window[index] * scale;
      }
    }
    return result;
  }
}
