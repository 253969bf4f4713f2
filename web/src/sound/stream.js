/** A recording restored as it comes, what is needed of the past carried along: src/burnish/audio/stream.py, which says why. */

import { BINS, Frames, TAPS } from "./frames.js";

/** @typedef {import("./survey.js").Block} Block */
/** @typedef {import("./survey.js").Survey} Survey */
/**
 * The graph: spectra of T frames, T×257 complex numbers, and the state that the frames before have left, to filters, T×257×3 complex
 * numbers, how likely speech is in each, as a logit, and the state after them.
 * @typedef {(spectra: Float32Array, frames: number, state: any) =>
 *   Promise<{filters: Float32Array, speech: Float32Array, state: any}>} Graph
 */

const LEVEL = 0.05; // root mean square of what a model hears where something is to be heard
const MOST_GAIN = 1e4;
const AT_ONCE = 256; // frames that go through a model in one run
const DEEP = [3, 33]; // bins in which voices have their pitch and their first resonance
const LEADS = [160, 240]; // bins whose fate those above the model's share
const SLOW = 0.7; // of that share a frame keeps so much of the one before

export class Stream {
  /** @param {Graph} graph @param {Survey} survey @param {string} name of the model */
  constructor(graph, survey, name) {
    this.graph = graph;
    this.name = name;
    this.frames = new Frames(survey.step);
    this.weights = survey.weights();
    this.gain = Math.min(MOST_GAIN, LEVEL / Math.max(survey.level(), 1e-12));
    this.limit = Math.fround(Math.max(survey.peak, 1e-12));
    this.upper = 1;
    /** @type {any} the model's, undefined before the first frame */
    this.state = undefined;
    /** How likely speech is in each frame so far. @type {number[]} */
    this.speech = [];
    /** Which share of what was left of it lies below 1 kHz. @type {number[]} */
    this.deep = [];
    const { step, bins } = this.frames;
    /** @param {number} length */
    const empty = (length) => Array.from({ length: survey.channels }, () => new Float32Array(length));
    this.waiting = empty(step); // samples not in a whole frame yet; a recording begins with silence
    this.before = empty((TAPS - 1) * bins * 2); // the frames before the next one
    this.tail = empty(step); // the half of the last restored frame that the next one will cover
    this.skipped = 2 * step; // restored samples that come before the recording's first
    this.taken = this.given = 0;
  }

  /** What is done once these samples have come too. @param {Block} block @returns {Promise<Block>} */
  async push(block) {
    this.taken += block[0].length;
    this.waiting = this.waiting.map((samples, channel) => joined([samples, block[channel]]));
    /** @type {Block[]} */
    const done = [];
    const { step } = this.frames;
    for (;;) {
      const count = Math.min(AT_ONCE, Math.floor(this.waiting[0].length / step) - 1);
      if (count < 1) break;
      done.push(await this.run(this.waiting.map((samples) => samples.subarray(0, (count + 1) * step))));
      this.waiting = this.waiting.map((samples) => samples.slice(count * step));
    }
    return this.out(done);
  }

  /** The samples that are left, once all have come. @returns {Promise<Block>} */
  async finish() {
    const missing = this.taken - this.given;
    const silence = 3 * this.frames.step;
    this.taken -= silence; // which is no part of the recording
    const done = await this.push(this.waiting.map(() => new Float32Array(silence)));
    return done.map((samples) => samples.slice(0, missing));
  }

  /** The restored parts without what comes before the recording. @param {Block[]} parts @returns {Block} */
  out(parts) {
    const done = this.waiting.map((_, channel) => joined(parts.map((part) => part[channel])));
    const skipped = Math.min(this.skipped, done[0].length);
    this.skipped -= skipped;
    this.given += done[0].length - skipped;
    return done.map((samples) => samples.slice(skipped));
  }

  /** The next frames, which begin every step of the samples: restored samples, two steps late. @param {Block} samples */
  async run(samples) {
    const { bins, step } = this.frames;
    const spectra = samples.map((each) => this.frames.spectra(each));
    const count = spectra[0].length / (2 * bins);
    const { filters, upper } = await this.filters(spectra, count);
    const restored = spectra.map((each, channel) => {
      const history = joined([this.before[channel], each]);
      this.before[channel] = history.slice(-(TAPS - 1) * bins * 2);
      return filtered(history, filters, upper, count, bins);
    });
    this.deep.push(...deepness(restored, count, bins));
    return restored.map((each, channel) => {
      const pieces = this.frames.samples(each);
      for (let at = 0; at < step; at += 1) pieces[at] += this.tail[channel][at];
      this.tail[channel] = pieces.slice(-step);
      return pieces.subarray(0, -step).map((value) => Math.min(this.limit, Math.max(-this.limit, value)));
    });
  }

  /**
   * What the mix asks for: the model's filters, and for each frame the gain of the bins above it.
   * @param {Float32Array[]} spectra
   * @param {number} count
   */
  async filters(spectra, count) {
    const { bins } = this.frames;
    const seen = new Float32Array(count * BINS * 2);
    const length = 2 * Math.min(bins, BINS);
    for (let frame = 0; frame < count; frame += 1) {
      for (let at = 0; at < length; at += 1) {
        let sum = 0;
        for (let channel = 0; channel < spectra.length; channel += 1) {
          sum += this.weights[channel] * spectra[channel][2 * frame * bins + at];
        }
        seen[2 * frame * BINS + at] = sum * this.gain;
      }
    }
    const told = await this.graph(seen, count, this.state);
    this.state = told.state;
    if (!told.filters.every(Number.isFinite)) throw new Error(`${this.name}: gave values that are no numbers; the model file is broken`);
    for (const logit of told.speech) this.speech.push(1 / (1 + Math.exp(-logit)));
    const upper = Float32Array.from({ length: count }, (_, frame) => {
      let sum = 0;
      for (let bin = LEADS[0]; bin < LEADS[1]; bin += 1) {
        const at = (frame * BINS + bin) * 2 * TAPS + 2;
        sum += Math.hypot(told.filters[at], told.filters[at + 1]);
      }
      this.upper = SLOW * this.upper + (1 - SLOW) * Math.min(sum / (LEADS[1] - LEADS[0]), 1);
      return this.upper;
    });
    return { filters: told.filters, upper };
  }
}

/**
 * The spectra restored: each the sum of three frames, every bin of each multiplied with a complex number; above the model's bins the frame
 * before with one real gain.
 * @param {Float32Array} history the spectra, two more before them
 * @param {Float32Array} filters
 * @param {Float32Array} upper
 * @param {number} count
 * @param {number} bins
 */
function filtered(history, filters, upper, count, bins) {
  const result = new Float32Array(count * bins * 2);
  for (let frame = 0; frame < count; frame += 1) {
    for (let bin = 0; bin < bins; bin += 1) {
      const to = 2 * (frame * bins + bin);
      if (bin >= BINS) {
        const from = 2 * ((frame + TAPS - 2) * bins + bin);
        result[to] = history[from] * upper[frame];
        result[to + 1] = history[from + 1] * upper[frame];
        continue;
      }
      for (let tap = 0; tap < TAPS; tap += 1) {
        const from = 2 * ((frame + TAPS - 1 - tap) * bins + bin);
        const at = 2 * ((frame * BINS + bin) * TAPS + tap);
        result[to] += history[from] * filters[at] - history[from + 1] * filters[at + 1];
        result[to + 1] += history[from] * filters[at + 1] + history[from + 1] * filters[at];
      }
    }
  }
  return result;
}

/** Of each frame, the share of the model's bins' power, over all channels, that is deep. @param {Float32Array[]} restored
 * @param {number} count @param {number} bins */
function deepness(restored, count, bins) {
  return Array.from({ length: count }, (_, frame) => {
    let [deep, all] = [0, 0];
    for (const each of restored) {
      for (let bin = 0; bin < Math.min(bins, BINS); bin += 1) {
        const at = 2 * (frame * bins + bin);
        const power = each[at] * each[at] + each[at + 1] * each[at + 1];
        all += power;
        if (bin >= DEEP[0] && bin < DEEP[1]) deep += power;
      }
    }
    return deep / Math.max(all, 1e-20);
  });
}

/** @param {Float32Array[]} parts */
export function joined(parts) {
  const result = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
