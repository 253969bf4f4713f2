/**
 * What a model took away from an image: noise, JPEG's traces, or a part of the picture. Noise is there in flat areas too, while harm sits
 * on edges and fine detail; so it is read from the residual in those blocks that the result shows to be flat. JPEG's traces are read from
 * the steps between its blocks of 8×8 pixels, before and after. A screen's dots and a weave repeat themselves; noise does not.
 */

import { grey, quantile } from "./parts.js";

/** @typedef {import("./parts.js").Part} Part */
/**
 * `noise`: that in the flat areas, as sigma on the 0–255 scale, and `left`: that which the result still has there; null where there is no
 * flat area. `flat`: the share of flat areas in what is neither constant nor black or white; `constant`: the share of areas that are
 * constant. `blocks`: by how much the steps between JPEG's blocks stand out, before and after. `pattern`: how far the residual repeats
 * itself, 0–1.
 * @typedef {{noise: number | null, left: number | null, flat: number, constant: number,
 *   blocks: [number, number], pattern: () => number}} Taken
 */

const BAND = 64; // rows of a look
const [LOOKED, WINDOW] = [32, 256]; // windows of an image that are looked at, spread evenly, and how many columns each has at most
const BLOCK = 8; // pixels a side; JPEG's, too
const [DARK, BRIGHT] = [8, 247]; // levels beyond which noise is cut off
const [FLAT, SHARE] = [2, 0.5]; // what the result still shows in a flat block: so many levels, and this share of what was taken away
const FEW = 4; // flat blocks that are too few to tell anything
const STEEP = 40; // levels: a larger step is an edge, and a row of 8 with one tells nothing of JPEG
const [STILL, BUSY] = [0.1, 5]; // levels, and how many of the 8 must be larger
const SCARCE = 0.05; // share of such rows that tells nothing: JPEG's traces lie over all of an image
const DOUBT = 12; // over the root of the number of such rows: how much the steps at one place may stand out by chance
// From which on steps between blocks stand out, and what share may be left where that was lessened.
export const [TRACES, LESSENED] = [0.15, 0.7];
const [NEAR, FAR] = [4, 24]; // pixels between which a pattern that repeats itself is looked for

export class Look {
  /** @param {number} pixels how many will come by, so that the windows are spread evenly over them */
  constructor(pixels) {
    this.every = Math.max(1, Math.round(pixels / (BAND * WINDOW * LOOKED)));
    this.passed = 0;
    /** Of each block that is not constant: the residual's deviation, the result's, its mean. @type {[number, number, number][]} */
    this.found = [];
    this.constant = 0;
    this.blocks = 0;
    /** Before and after, across and down: the sum of steps at each place within 8 pixels. */
    this.steps = [0, 1].map(() => [0, 1].map(() => new Float64Array(BLOCK)));
    this.rows = 0; // of 8 that tell something, of so many
    this.allRows = 0;
    /** @type {{plane: Float32Array, width: number}[]} */
    this.residuals = [];
  }

  /** The columns to be looked at in the next band of rows. @param {number} width @returns {[number, number][]} */
  windows(width) {
    const count = Math.ceil(width / WINDOW);
    const chosen = [...Array(count).keys()].filter((at) => (this.passed + at) % this.every === 0);
    this.passed += count;
    return chosen.map((at) => [at * WINDOW, Math.min((at + 1) * WINDOW, width)]);
  }

  /**
   * One window of the input and of the result, beginning on the grid of 8 pixels. One of less than 8 tells nothing.
   * @param {Part} before
   * @param {Part} after
   */
  add(before, after) {
    const { width, height, bands } = before;
    if (Math.min(width, height) < BLOCK) return;
    for (let y = 0; y + BLOCK <= height; y += BLOCK) {
      for (let x = 0; x + BLOCK <= width; x += BLOCK) this.block(before, after, (y * width + x) * bands);
    }
    const [was, now] = [grey(before), grey(after)].map((plane) => plane.map((value) => 255 * value));
    this.addSteps(was, now, width, height, 0);
    this.addSteps(turned(was, width), turned(now, width), height, width, 1);
    if (Math.min(width, height) > FAR) this.residuals.push({ plane: was.map((value, at) => value - now[at]), width });
  }

  /** @param {Part} before @param {Part} after @param {number} start */
  block(before, after, start) {
    const { width, bands } = before;
    let [constant, residual, rough, mean] = [true, 0, 0, 0];
    for (let band = 0; band < bands; band += 1) {
      let [sum, squares, total, all, across, down] = [0, 0, 0, 0, 0, 0];
      const first = before.data[start + band];
      for (let y = 0; y < BLOCK; y += 1) {
        for (let x = 0; x < BLOCK; x += 1) {
          const at = start + (y * width + x) * bands + band;
          if (before.data[at] !== first) constant = false;
          const [taken, value] = [255 * (before.data[at] - after.data[at]), 255 * after.data[at]];
          sum += taken;
          squares += taken * taken;
          total += value;
          all += value * value;
          across += (x - 3.5) * value;
          down += (y - 3.5) * value;
        }
      }
      const count = BLOCK ** 2;
      residual += Math.max(0, squares / count - (sum / count) ** 2);
      rough += all / count - (total / count) ** 2 - (across ** 2 + down ** 2) / 336 / count; // 336: the sum of the ramp's squares
      mean += total / count;
    }
    this.blocks += 1;
    if (constant) this.constant += 1;
    else this.found.push([Math.sqrt(residual / bands), Math.sqrt(Math.max(0, rough / bands)), mean / bands]);
  }

  /** @param {Float32Array} before @param {Float32Array} after @param {number} width @param {number} height @param {number} axis */
  addSteps(before, after, width, height, axis) {
    const groups = Math.floor((width - 3) / BLOCK);
    const steps = [before, after].map(
      (plane) => (/** @type {number} */ at) => Math.abs(plane[at + 3] - 3 * plane[at + 2] + 3 * plane[at + 1] - plane[at]),
    );
    for (let y = 0; y < height; y += 1) {
      for (let group = 0; group < groups; group += 1) {
        const start = y * width + group * BLOCK;
        this.allRows += 1;
        const own = [0, 1, 2, 3, 4, 5, 6, 7].map((place) => steps[0](start + place));
        if (own.filter((step) => step > STILL).length < BUSY || Math.max(...own) >= STEEP) continue;
        this.rows += 1;
        for (let place = 0; place < BLOCK; place += 1) {
          this.steps[0][axis][place] += own[place];
          this.steps[1][axis][place] += steps[1](start + place);
        }
      }
    }
  }

  /** What was seen so far. @returns {Taken} */
  taken() {
    const inside = this.found.filter(([, , mean]) => mean > DARK && mean < BRIGHT);
    const told = inside.length >= FEW ? inside : this.found;
    const flat = told.filter(([residual, result]) => result <= FLAT + SHARE * residual);
    const many = flat.length >= FEW;
    /** @param {0 | 1} which */
    const sorted = (which) => Float64Array.from(flat, (block) => block[which]).sort();
    return {
      noise: many ? quantile(sorted(0), 0.5) : null,
      left: many ? quantile(sorted(1), 0.1) : null,
      flat: told.length ? flat.length / told.length : 0,
      constant: this.constant / Math.max(1, this.blocks),
      blocks: this.blockiness(),
      pattern: () => this.pattern(),
    };
  }

  /**
   * By how much steps at one place in 8 stand out, from the next largest that it does not touch; the mean of across and down.
   * @returns {[number, number]}
   */
  blockiness() {
    if (this.rows < SCARCE * this.allRows) return [0, 0];
    const told = [0, 0];
    for (const axis of [0, 1]) {
      const before = this.steps[0][axis];
      const place = before.indexOf(Math.max(...before));
      const others = [2, 3, 4, 5, 6].map((step) => (place + step) % BLOCK); // the steps beside it have a part in it
      for (const when of [0, 1]) {
        const each = this.steps[when][axis];
        const rest = others.map((other) => each[other]);
        told[when] += (each[place] - Math.max(...rest)) / (rest.reduce((sum, step) => sum + step, 0) / rest.length || 1) / 2;
      }
    }
    const doubt = DOUBT / Math.sqrt(Math.max(1, this.rows));
    return [Math.max(0, told[0] - doubt), Math.max(0, told[1] - doubt)];
  }

  /** How far the residual repeats itself, windows weighted by their strength. It takes a while, and is asked for where it matters. */
  pattern() {
    let [weights, sum] = [0, 0];
    for (const { plane, width } of this.residuals) {
      const strength = plane.reduce((total, value) => total + value * value, 0) / plane.length;
      weights += strength;
      if (strength > 0) sum += strength * repetition(plane, width);
    }
    return sum / (weights || 1);
  }
}

/** @param {Float32Array} plane @param {number} width */
function turned(plane, width) {
  const height = plane.length / width;
  return plane.map((_, at) => plane[(at % height) * width + Math.floor(at / height)]);
}

/**
 * The largest autocorrelation of a residual at distances from 4 to 24 pixels; that of noise is about 0.
 * @param {Float32Array} residual
 * @param {number} width
 */
function repetition(residual, width) {
  const height = residual.length / width;
  const mean = residual.reduce((sum, value) => sum + value, 0) / residual.length;
  const plane = residual.map((value) => value - mean);
  const power = Math.max(
    plane.reduce((sum, value) => sum + value * value, 0),
    1e-9,
  );
  let most = -1;
  for (let down = -FAR; down <= FAR; down += 1) {
    for (let across = 0; across <= FAR; across += 1) {
      if (Math.hypot(down, across) < NEAR) continue;
      let sum = 0;
      for (let y = Math.max(0, -down); y < Math.min(height, height - down); y += 1) {
        const [one, other] = [y * width, (y + down) * width + across];
        for (let x = 0; x < width - across; x += 1) sum += plane[one + x] * plane[other + x];
      }
      const overlap = ((height - Math.abs(down)) * (width - across)) / (height * width);
      most = Math.max(most, sum / (overlap * power));
    }
  }
  return most;
}
