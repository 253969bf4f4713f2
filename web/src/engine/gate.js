/**
 * First, do no harm: what noise and blur an image has, whether a model was made for that, and whether what it took away was noise: the
 * gate of `burnish restore`, whose thresholds and reasons stand in src/burnish/image/gate.py.
 */

import { Trained } from "./degradation.js";
import { blockMeans } from "./parts.js";
import { LESSENED, TRACES } from "./look.js";

/** @typedef {import("./parts.js").Part} Part */
/** @typedef {import("./finding.js").Finding} Finding */
/** @typedef {import("./look.js").Taken} Taken */
/** @typedef {{name: string, degradation: string}} Card */

// What `examined` finds the traces of. What a model learnt to undo beside them, an image that looks clean may be in need of.
const TRACED = new Set(["blur", "noise", "camera", "poisson", "jpeg", "8bit"]);
const SHARP = 0.85; // pixels
const UNSEEN = 2.5; // levels of 255, at the 99.9th percentile: a change that nobody sees
const NOISE = 1; // sigma on the 0–255 scale in flat areas, from which what was taken away is noise,
const [AREA, EVEN] = [0.06, 0.02]; // if this share of what is not constant is flat, or less than this share of all is constant,
const TAIL = 8; // and the change at the 99.9th percentile is at most so many sigmas
const BLOCKS = 0.6; // how much steps between JPEG's blocks stand out from which on to lessen them is worth while,
const RINGING = 60; // and how many levels of change each step by which they stood out explains
const [SCREEN, PATTERN] = [3, 0.25]; // from this sigma and this repetition of the residual on, it was a screen's dots, a dither or a weave,
const [REGULAR, STRONG] = [1, 8]; // unless JPEG's blocks stand out so much, which repeat themselves too, but less strongly than this sigma

export const PATCH = 64; // pixels a side of the blocks in which a result is compared with its input
const BINS = 4096;
const MANY = 1 << 20;

/**
 * Why the image lies outside what the card says the model was trained for; "" when it does not.
 * @param {Finding} finding
 * @param {Card} card
 */
export function refusal(finding, card) {
  const trained = new Trained(card.degradation);
  if (trained.isOwn) return "";
  const [blur, noise] = [trained.span("blur"), noiseSpan(trained)];
  if (finding.blur !== null && blur) {
    const told = `(blur about ${finding.blur.toFixed(1)} pixels)`;
    if (finding.blur < 0.8 * Math.hypot(blur[0], 0.35)) return blur[0] ? `sharper than anything ${card.name} was trained on ${told}` : "";
    if (finding.blur > 1.25 * Math.hypot(blur[1], 0.5)) return `more blurred than anything ${card.name} was trained on ${told}`;
  }
  const seen = Math.max(finding.noise ?? 0, finding.grain);
  if (seen > 1.3 * noise[1] + 1.5) return `noisier than anything ${card.name} was trained on (sigma about ${seen.toFixed(0)} of 255)`;
  if (finding.noise !== null && seen < 0.5 * noise[0])
    return `cleaner than anything ${card.name} was trained on (noise of sigma about ${seen.toFixed(1)} of 255)`;
  return "";
}

/**
 * The noise that a degradation brings, from least to most, the sensor's and the photons' roughly.
 * @param {Trained} trained
 * @returns {[number, number]}
 */
function noiseSpan(trained) {
  const [low, high] = trained.span("noise") ?? [0, 0];
  const [camera, photons] = [trained.span("camera"), trained.span("poisson")];
  return [low, Math.max(high, camera ? 5 * camera[1] : 0, photons ? 255 / Math.sqrt(Math.max(photons[0], 1)) : 0)];
}

/**
 * Why the image is better left as it is, now that one sees what the model takes away; "" when it is not. `change`: how much it changes
 * the image at the 99.9th percentile, as a share of the range.
 * @param {Finding} finding
 * @param {number} change
 * @param {Taken} taken
 * @param {Card} card
 */
export function needless(finding, change, taken, card) {
  const trained = new Trained(card.degradation);
  if (![...trained.names].every((name) => TRACED.has(name))) return "";
  // What sharpening adds sits on edges, as it should.
  if (trained.span("blur") && (finding.blur === null || finding.blur >= SHARP)) return "";
  if (change * 255 <= UNSEEN) return `clean: ${card.name} would change it by less than one sees`;
  const noise = taken.noise ?? 0;
  const blocks = taken.blocks[0];
  if (noise >= (blocks < REGULAR ? SCREEN : STRONG) && taken.pattern() >= PATTERN) {
    return `what ${card.name} would take away repeats itself, as the dots of print or a weave do, and noise does not`;
  }
  if (blocks >= BLOCKS && lessensJpeg(taken) && change * 255 <= UNSEEN + Math.max(TAIL * noise, RINGING * blocks)) return "";
  if (noise < NOISE || (taken.flat < AREA && taken.constant > EVEN)) {
    return `what ${card.name} would take away is not noise: there is none of it in flat areas`;
  }
  if (change * 255 > UNSEEN + TAIL * noise)
    return `${card.name} would change edges and texture by far more than the noise that it found in flat areas`;
  return "";
}

/** @param {Taken} taken */
function lessensJpeg({ blocks: [before, after] }) {
  return before >= TRACES && after <= LESSENED * before;
}

/** What was taken away, in words, as far as it is worth one. @param {Taken} taken @returns {string[]} */
export function words(taken) {
  const said = [];
  if (taken.noise !== null && taken.left !== null) {
    const before = Math.hypot(taken.left, taken.noise);
    if (taken.left < Math.min(0.9 * before, before - 0.2))
      said.push(`noise of sigma ${before.toFixed(1)} down to ${taken.left.toFixed(1)} (of 255)`);
  }
  if (lessensJpeg(taken)) said.push("JPEG's traces lessened");
  return said;
}

/** What a model changed, gathered as parts come: `add` them, then ask. Of an image of many `pixels` every second row and column will do. */
export class Comparison {
  /** @param {Finding} finding @param {number} pixels */
  constructor(finding, pixels) {
    this.every = pixels > MANY ? 2 : 1;
    this.noise = Math.max(finding.noise ?? 0, finding.grain) / 255;
    this.bins = new Float64Array(BINS);
    this.patches = 0;
    this.wrong = 0;
    this.emptied = 0;
  }

  /**
   * Rows of the input and of the result, `every` so many of them, of PATCH of the image's at most.
   * @param {Part} before
   * @param {Part} after
   */
  add(before, after) {
    const patch = PATCH / this.every;
    const change = { ...before, data: before.data.map((value, at) => Math.abs(after.data[at] - value)) };
    for (const value of change.data) this.bins[Math.floor(Math.min(value * (BINS - 1), BINS - 1))] += 1;
    const squares = blockMeans(change, patch, (value) => value * value);
    const [contrast, remaining] = [deviation(before, patch), deviation(after, patch)];
    // A residual as strong as the noise and the detail together is what a denoiser or a deblurrer at its worst leaves behind.
    contrast.forEach((each, at) => {
      if (Math.sqrt(squares[at]) > 0.08 + 2 * this.noise + each) this.wrong += 1;
      if (each > 0.02 + 2 * this.noise && remaining[at] === 0) this.emptied += 1;
    });
    this.patches += contrast.length;
  }

  /** How much was changed at the 99.9th percentile, as a share of the range. */
  change() {
    const total = this.bins.reduce((sum, each) => sum + each, 0);
    let sum = 0;
    for (let bin = 0; bin < BINS; bin += 1) {
      sum += this.bins[bin];
      if (total && sum >= 0.999 * total) return bin / (BINS - 1);
    }
    return 0;
  }

  /** Why the result cannot be right, "" when it can. */
  harm() {
    if (this.emptied) return "the model gave an empty area where the image has something";
    if (this.wrong > 0.02 * this.patches) return "the model changed the image by more than the noise and blur in it explain";
    return "";
  }
}

/** @param {Part} part @param {number} side */
function deviation(part, side) {
  const means = blockMeans(part, side, (value) => value);
  const squares = blockMeans(part, side, (value) => value * value);
  return squares.map((square, at) => {
    const found = Math.sqrt(Math.max(0, square - means[at] ** 2));
    return found < 1e-6 ? 0 : found;
  });
}
