/** A look at a whole recording before it is restored: how its channels go together, how loud it is: src/burnish/audio/survey.py. */

import { hop } from "./frames.js";

/** Samples, channel by channel. @typedef {Float32Array[]} Block */

const FLOOR = 1e-7; // root mean square under which all is silence
const ACTIVE = 1e-3; // of the power of the loudest stretches: 30 dB below them, nobody speaks
const LOUDEST = 0.98; // share of the stretches that are not among those

export class Survey {
  /** @param {number} rate @param {number} channels */
  constructor(rate, channels) {
    this.rate = rate;
    this.channels = channels;
    this.step = hop(rate);
    this.peak = 0;
    this.products = Array.from({ length: channels }, () => new Float64Array(channels));
    /** @type {number[]} */
    this.whole = [];
    this.sum = 0; // of squares in the stretch that is not whole yet
    this.count = 0; // samples in it
  }

  /** @param {Block} block what follows of the recording */
  add(block) {
    for (let at = 0; at < block[0].length; at += 1) {
      for (let one = 0; one < this.channels; one += 1) {
        const value = block[one][at];
        this.peak = Math.max(this.peak, Math.abs(value));
        this.sum += value * value;
        for (let other = 0; other <= one; other += 1) this.products[one][other] += value * block[other][at];
      }
      this.count += 1;
      if (this.count === this.step) {
        this.whole.push(this.sum / (this.step * this.channels));
        this.sum = this.count = 0;
      }
    }
  }

  /** The mean square of each stretch of `step` samples, the last, shorter one included. */
  get powers() {
    return this.count ? [...this.whole, this.sum / (this.count * this.channels)] : this.whole;
  }

  get isSilent() {
    return !this.powers.some((power) => power > FLOOR ** 2);
  }

  /** Which stretches are within 30 dB of the loudest ones. */
  active() {
    const powers = this.powers;
    const loud = Float64Array.from(powers).sort()[Math.floor(LOUDEST * (powers.length - 1))];
    if (loud > FLOOR ** 2) return powers.map((power) => power >= Math.max(ACTIVE * loud, FLOOR ** 2));
    return powers.map((power) => power > FLOOR ** 2);
  }

  /** The root mean square where it is active; 0 for silence. */
  level() {
    const active = this.active();
    const powers = this.powers.filter((_, at) => active[at]);
    return powers.length ? Math.sqrt(powers.reduce((sum, power) => sum + power, 0) / powers.length) : 0;
  }

  /** What each channel adds to the mix that is listened to: those of the strongest common signal; their sizes add up to one. */
  weights() {
    const full = this.products.map((row, one) => row.map((value, other) => (other <= one ? value : this.products[other][one])));
    if (!(full.reduce((sum, row, at) => sum + row[at], 0) > 0)) return Float32Array.from(full, () => 1 / this.channels);
    const main = principal(full);
    const largest = main.reduce((best, value, at) => (Math.abs(value) > Math.abs(main[best]) ? at : best), 0);
    const total = main.reduce((sum, value) => sum + Math.abs(value), 0) * Math.sign(main[largest]);
    return Float32Array.from(main, (value) => value / total);
  }
}

/** The eigenvector of the largest eigenvalue of a symmetric matrix, by Jacobi's rotations. @param {Float64Array[]} matrix */
function principal(matrix) {
  const size = matrix.length;
  const values = matrix.map((row) => row.slice());
  const vectors = matrix.map((_, row) => Float64Array.from(matrix, (__, column) => Number(row === column)));
  for (let turn = 0; turn < 60; turn += 1) {
    let off = 0;
    for (let one = 0; one < size; one += 1) {
      for (let other = one + 1; other < size; other += 1) {
        off += values[one][other] ** 2;
        if (values[one][other]) rotate(values, vectors, one, other);
      }
    }
    if (off === 0) break;
  }
  const best = values.reduce((found, row, at) => (row[at] > values[found][found] ? at : found), 0);
  return vectors.map((row) => row[best]);
}

/** @param {Float64Array[]} values @param {Float64Array[]} vectors @param {number} one @param {number} other */
function rotate(values, vectors, one, other) {
  const theta = (values[other][other] - values[one][one]) / (2 * values[one][other]);
  const tangent = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const cos = 1 / Math.hypot(tangent, 1);
  const sin = tangent * cos;
  /** @param {Float64Array} row */
  const columns = (row) => {
    const [left, right] = [row[one], row[other]];
    row[one] = cos * left - sin * right;
    row[other] = sin * left + cos * right;
  };
  values.forEach(columns);
  for (let at = 0; at < values.length; at += 1) {
    const [above, below] = [values[one][at], values[other][at]];
    values[one][at] = cos * above - sin * below;
    values[other][at] = sin * above + cos * below;
  }
  vectors.forEach(columns);
}
