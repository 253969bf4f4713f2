/** Whether a recording is one that a model should touch: src/burnish/audio/gate.py, where thresholds and reasons stand. */

import { quantile } from "../engine/parts.js";
import { Stream } from "./stream.js";

/** @typedef {import("./survey.js").Block} Block */
/** @typedef {import("./survey.js").Survey} Survey */
/** `beside`: what would be taken away, in dB below what is left. @typedef {{why: string, beside?: number}} Verdict */
/** Samples of the recording, from a start on, at most so many. @typedef {(start: number, count: number) => Block} Source */

const WHOLE = 90; // seconds up to which all of a recording is looked at
const [STRETCHES, STRETCH, BEFORE] = [9, 8, 2];
const [SPEAKS, SILENT, SURE] = [0.5, 0.3, 0.9];
const DEEP = 0.3; // share of what is left below 1 kHz that voiced speech has
const LEAST = 0.25; // seconds of speech below which there is none
const SHARE = 0.04; // and of what is active in the recording, at least
const PAUSES = 5;
const [CLEAN, CLEAN_ALL] = [23, 20];
const SECONDS = 4; // to a block

/**
 * What is to be done with a recording of so many samples; `advance` is told the share that has been looked at.
 * @param {Source} source
 * @param {number} samples
 * @param {Survey} survey
 * @param {import("./stream.js").Graph} graph
 * @param {string} model its name
 * @param {(share: number) => void} advance
 * @returns {Promise<Verdict>}
 */
export async function judged(source, samples, survey, graph, model, advance) {
  if (survey.isSilent) return { why: "it is silent" };
  /** @type {Frames} */
  const all = { speech: [], deep: [], power: [], residual: [] };
  const places = stretches(samples, survey);
  for (const [index, { start, skipped, count }] of places.entries()) {
    const found = await tried(source, start, count, survey, new Stream(graph, survey, model), (share) =>
      advance((index + share) / places.length),
    );
    for (const key of /** @type {const} */ (["speech", "deep", "power", "residual"])) all[key].push(...found[key].slice(skipped));
  }
  return verdict(all, survey.step / survey.rate);
}

/** Of each frame. @typedef {{speech: number[], deep: number[], power: number[], residual: number[]}} Frames */

/** @param {Frames} frames @param {number} step seconds from one to the next @returns {Verdict} */
export function verdict({ speech, deep, power, residual }, step) {
  const loud = 1e-3 * quantile(Float64Array.from(power).sort(), 0.98);
  const active = power.map((value) => value > loud);
  const sure = speech.filter((value, at) => value > SURE && deep[at] > DEEP && active[at]).length;
  if (sure * step < LEAST || sure < SHARE * active.filter(Boolean).length) return { why: "no speech was found in it" };
  const pauses = residual.filter((_, at) => speech[at] < SILENT);
  const told = pauses.length >= PAUSES;
  const heard = mean(told ? pauses : residual);
  const beside = -10 * Math.log10(Math.max(heard, 1e-20) / mean(power.filter((_, at) => speech[at] > SPEAKS && active[at])));
  if (beside > (told ? CLEAN : CLEAN_ALL)) {
    return { why: `it is clean: what would be taken away lies ${beside.toFixed(0)} dB below the speech`, beside };
  }
  return { why: "", beside };
}

/** @param {number[]} values */
function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Where to look: first sample, how many frames of it do not count, and how many samples. @param {number} samples @param {Survey} survey */
function stretches(samples, survey) {
  if (samples / survey.rate <= WHOLE) return [{ start: 0, skipped: 0, count: samples }];
  const active = [...survey.active().entries()].filter(([, is]) => is).map(([at]) => at);
  const length = Math.floor(STRETCH * survey.rate);
  const early = Math.floor(BEFORE * survey.rate);
  const places = Array.from(
    { length: STRETCHES },
    (_, each) => active[Math.floor((each * (active.length - 1)) / (STRETCHES - 1))] * survey.step,
  );
  return [...new Set(places)].map((place) => {
    const start = Math.min(Math.max(place - Math.floor(length / 2), 0), samples - length);
    const begin = Math.max(0, start - early);
    return { start: begin, skipped: Math.floor((start - begin) / survey.step), count: start - begin + length };
  });
}

/**
 * Of each frame of a stretch: how likely speech is, which share of what the model leaves lies below 1 kHz, the power of the recording,
 * and that of what the model takes from it.
 * @param {Source} source
 * @param {number} start
 * @param {number} count
 * @param {Survey} survey
 * @param {Stream} stream
 * @param {(share: number) => void} advance
 * @returns {Promise<Frames>}
 */
async function tried(source, start, count, survey, stream, advance) {
  const frames = Math.max(1, Math.floor(count / survey.step));
  const size = count < survey.step ? count : survey.step;
  const [power, residual] = [new Array(frames).fill(0), new Array(frames).fill(0)];
  const scale = size * survey.channels;
  let done = 0;
  /** @param {Block} after */
  const compare = (after) => {
    const before = source(start + done, after[0].length);
    after.forEach((samples, channel) => {
      for (let at = 0; at < samples.length; at += 1) {
        const frame = Math.floor((done + at) / size);
        if (frame >= frames) break;
        const was = before[channel][at];
        power[frame] += (was * was) / scale;
        residual[frame] += (was - samples[at]) ** 2 / scale;
      }
    });
    done += after[0].length;
    advance(done / count);
  };
  const step = SECONDS * survey.rate;
  for (let at = 0; at < count; at += step) compare(await stream.push(source(start + at, Math.min(step, count - at))));
  compare(await stream.finish());
  /** @param {number[]} all */
  const told = (all) => {
    const found = all.slice(2, 2 + frames); // frame 2 is the first whose restored samples are the recording's
    return [...found, ...new Array(frames - found.length).fill(0)];
  };
  return { speech: told(stream.speech), deep: told(stream.deep), power, residual };
}
