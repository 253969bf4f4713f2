/** A recording restored: looked at as a whole, judged, and run through the model as a stream: src/burnish/audio/restore.py. */

import { judged } from "./gate.js";
import { Stream } from "./stream.js";
import { Survey } from "./survey.js";
import { Peaks, decoded, encode, plain, told } from "./wav.js";

/** @typedef {import("./survey.js").Block} Block */
/** @typedef {import("./wav.js").Wav} Wav */
/**
 * `after`: the file with its samples restored, and `residual`, a WAV of what was taken away, where it is restored; `why` it is left as it
 * is; `taken`: what was taken away, in words.
 * @typedef {{after?: Uint8Array, residual?: Uint8Array, why: string, taken: string[]}} Trial
 */

const SECONDS = 4; // to a block

/**
 * Raises an Error for a file that is broken.
 * @param {Uint8Array} data
 * @param {Wav} wav
 * @param {import("./stream.js").Graph} graph
 * @param {string} model its name
 * @param {(share: number) => void} advance
 * @param {boolean} force whether to restore whatever comes of it
 * @returns {Promise<Trial>}
 */
export async function restored(data, wav, graph, model, advance, force) {
  const survey = new Survey(wav.rate, wav.channels);
  for (const block of blocks(data, wav)) survey.add(block.samples);
  /** @type {import("./gate.js").Source} */
  const source = (start, count) => decoded(data, wav, start, count);
  const looked = force ? 0 : Math.min(0.5, 45 / (wav.samples / wav.rate)); // the share of the work that looking takes, roughly
  const verdict = force ? { why: "" } : await judged(source, wav.samples, survey, graph, model, (share) => advance(looked * share));
  if (verdict.why) return { why: verdict.why, taken: [] };
  const after = data.slice();
  const residual = plain(wav.rate, wav.channels, wav.samples);
  const stream = new Stream(graph, survey, model);
  const peaks = new Peaks(wav.channels);
  let done = 0;
  /** @param {Block} block */
  const put = (block) => {
    if (!block[0].length) return;
    encode(after, wav, done, block);
    const before = source(done, block[0].length);
    encode(
      residual.data,
      residual.wav,
      done,
      block.map((samples, channel) => samples.map((value, at) => before[channel][at] - value)),
    );
    peaks.add(block, done);
    done += block[0].length;
    advance(looked + ((1 - looked) * done) / wav.samples);
  };
  for (const block of blocks(data, wav)) {
    put(await stream.push(block.samples));
    stream.speech.length = 0;
  }
  put(await stream.finish());
  peaks.put(after, wav);
  const taken = verdict.beside === undefined ? [] : [`what was taken away lies ${verdict.beside.toFixed(0)} dB below the speech`];
  return { after, residual: residual.data, why: "", taken };
}

/**
 * The file between as it was (0) and as restored (1).
 * @param {Uint8Array} before
 * @param {Uint8Array} after
 * @param {number} strength
 */
export function blended(before, after, strength) {
  const wav = told(before);
  const result = after.slice();
  const peaks = new Peaks(wav.channels);
  for (const { start, samples } of blocks(before, wav)) {
    const full = decoded(after, wav, start, samples[0].length);
    const block = samples.map((each, channel) => each.map((was, at) => was + strength * (full[channel][at] - was)));
    encode(result, wav, start, block);
    peaks.add(block, start);
  }
  peaks.put(result, wav);
  return result;
}

/** A file's samples, some seconds at a time. @param {Uint8Array} data @param {Wav} wav */
function* blocks(data, wav) {
  const step = SECONDS * wav.rate;
  for (let start = 0; start < wav.samples; start += step) yield { start, samples: decoded(data, wav, start, step) };
}
