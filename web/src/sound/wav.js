/**
 * WAV and RF64 (EBU Tech 3285 and 3306): where the samples lie and how they are stored. All else in a file stays as it is, byte for byte.
 */

import { latin1, startsWith, view } from "../containers/bytes.js";
import { HIGHEST, LOWEST } from "./frames.js";

/** @typedef {import("./survey.js").Block} Block */
/**
 * `kind`: whole numbers, of which those of one byte are from 0 to 255, or floats; `bytes` of a sample; `samples` of each channel;
 * `peaks`: where a chunk PEAK has its levels, −1 for none.
 * @typedef {{rate: number, channels: number, kind: "whole" | "float", bytes: number, start: number, samples: number, peaks: number}} Wav
 */

const CHANNELS = 8;
const KINDS = /** @type {Record<number, "whole" | "float">} */ ({ 1: "whole", 3: "float" });
const EXTENSIBLE = 0xfffe;
const WIDTHS = { whole: [1, 2, 3, 4], float: [4, 8] };
const UNKNOWN = [0, 0xffffffff]; // lengths that writers put down who do not know them yet

/**
 * What a file's header tells. Raises an Error for a file that is broken or of a kind that is not restored here.
 * @param {Uint8Array} data
 * @returns {Wav}
 */
export function told(data) {
  const found = chunks(data);
  const format = found.find(({ name }) => name === "fmt ");
  const main = found.find(({ name }) => name === "data");
  if (!format || format.size < 16 || format.start + format.size > data.length) throw new Error("is cut short in its header; copy it anew");
  if (!main) throw new Error("is cut short, its samples are missing; copy it anew");
  const header = view(data.subarray(format.start, format.start + format.size));
  const code = header.getUint16(0, true);
  const kind = KINDS[code === EXTENSIBLE && format.size >= 26 ? header.getUint16(24, true) : code];
  const channels = header.getUint16(2, true);
  const rate = header.getUint32(4, true);
  const block = header.getUint16(12, true);
  const bytes = block / channels;
  if (!kind || !WIDTHS[kind].includes(bytes)) {
    throw new Error("stores its samples in a way that this page does not read; save it as WAV of 16 or 24 bits, or use burnish restore");
  }
  if (rate < LOWEST || rate > HIGHEST) throw new Error(`has ${rate} samples a second, outside ${LOWEST} to ${HIGHEST}; resample it`);
  if (channels > CHANNELS) throw new Error(`has ${channels} channels, more than ${CHANNELS}; give them in several files`);
  const open = UNKNOWN.includes(main.size) && found[found.length - 1] === main;
  const size = open ? data.length - main.start : main.size;
  if (main.start + size > data.length) {
    const there = Math.max(0, data.length - main.start);
    throw new Error(`is cut short: its header promises ${size} bytes of samples, there are ${there}; copy it anew`);
  }
  const samples = Math.floor(size / block);
  if (!samples) throw new Error("holds no samples; copy it anew");
  const peak = found.find((chunk) => chunk.name === "PEAK" && chunk.size >= 8 + 8 * channels && chunk.start + chunk.size <= data.length);
  return { rate, channels, kind, bytes, start: main.start, samples, peaks: peak ? peak.start + 8 : -1 };
}

/** @param {Uint8Array} data */
function chunks(data) {
  const found = [];
  let long = 0;
  for (let at = 12; at + 8 <= data.length; ) {
    const name = latin1(data.subarray(at, at + 4));
    let size = view(data).getUint32(at + 4, true);
    if (name === "ds64" && at + 24 <= data.length) long = Number(view(data).getBigUint64(at + 16, true));
    if (name === "data" && size === 0xffffffff && long && startsWith(data, "RF64")) size = long;
    found.push({ name, start: at + 8, size });
    at += 8 + size + (size % 2);
  }
  return found;
}

/**
 * Samples from `start` on, at most `count`, full scale at 1. Raises an Error for values that are not finite.
 * @param {Uint8Array} data
 * @param {Wav} wav
 * @param {number} start
 * @param {number} count
 * @returns {Block}
 */
export function decoded(data, wav, start, count) {
  const length = Math.max(0, Math.min(count, wav.samples - start));
  const block = Array.from({ length: wav.channels }, () => new Float32Array(length));
  const stored = view(data);
  let at = wav.start + start * wav.channels * wav.bytes;
  for (let index = 0; index < length; index += 1) {
    for (let channel = 0; channel < wav.channels; channel += 1, at += wav.bytes) {
      const value = read(stored, wav, at);
      if (!Number.isFinite(value)) throw new Error("holds samples that are not finite; export it anew from where it was made");
      block[channel][index] = value;
    }
  }
  return block;
}

/** @param {DataView} stored @param {Wav} wav @param {number} at */
function read(stored, { kind, bytes }, at) {
  if (kind === "float") return bytes === 4 ? stored.getFloat32(at, true) : stored.getFloat64(at, true);
  if (bytes === 1) return (stored.getUint8(at) - 128) / 128;
  if (bytes === 2) return stored.getInt16(at, true) / 32768;
  if (bytes === 3) return (stored.getUint16(at, true) + stored.getInt8(at + 2) * 65536) / 8388608;
  return stored.getInt32(at, true) / 2147483648;
}

/**
 * Put samples into a file from `start` on: whole numbers rounded to the nearest, half to even, never wrapped.
 * @param {Uint8Array} data
 * @param {Wav} wav
 * @param {number} start
 * @param {Block} block
 */
export function encode(data, wav, start, block) {
  const stored = view(data);
  const top = 2 ** (8 * wav.bytes - 1);
  let at = wav.start + start * wav.channels * wav.bytes;
  for (let index = 0; index < block[0].length; index += 1) {
    for (let channel = 0; channel < wav.channels; channel += 1, at += wav.bytes) {
      const value = block[channel][index];
      if (wav.kind === "float" && wav.bytes === 4) stored.setFloat32(at, value, true);
      else if (wav.kind === "float") stored.setFloat64(at, value, true);
      else write(stored, wav.bytes, at, Math.min(top - 1, Math.max(-top, even(value * top))));
    }
  }
}

/** @param {DataView} stored @param {number} bytes @param {number} at @param {number} value */
function write(stored, bytes, at, value) {
  if (bytes === 1) stored.setUint8(at, value + 128);
  else if (bytes === 2) stored.setInt16(at, value, true);
  else if (bytes === 4) stored.setInt32(at, value, true);
  else {
    stored.setUint16(at, value & 0xffff, true);
    stored.setInt8(at + 2, value >> 16);
  }
}

/** @param {number} value */
function even(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/** The highest level of each channel, and where it is, as a chunk PEAK has them. */
export class Peaks {
  /** @param {number} channels */
  constructor(channels) {
    this.found = Array.from({ length: channels }, () => ({ level: 0, place: 0 }));
  }

  /** @param {Block} block @param {number} start which of the samples its first is */
  add(block, start) {
    block.forEach((samples, channel) => {
      samples.forEach((value, at) => {
        if (Math.abs(value) > this.found[channel].level) this.found[channel] = { level: Math.abs(value), place: start + at };
      });
    });
  }

  /** Bring a file's chunk PEAK, where there is one, up to date. @param {Uint8Array} data @param {Wav} wav */
  put(data, wav) {
    if (wav.peaks < 0) return;
    this.found.forEach(({ level, place }, channel) => {
      view(data).setFloat32(wav.peaks + 8 * channel, level, true);
      view(data).setUint32(wav.peaks + 8 * channel + 4, place, true);
    });
  }
}

/** An empty WAV of 16 bits, and what its header tells. @param {number} rate @param {number} channels @param {number} samples */
export function plain(rate, channels, samples) {
  const size = samples * channels * 2;
  const data = new Uint8Array(44 + size);
  const header = view(data);
  data.set(Array.from("RIFF    WAVEfmt ", (letter) => letter.charCodeAt(0)));
  header.setUint32(4, 36 + size, true);
  header.setUint32(16, 16, true);
  header.setUint16(20, 1, true);
  header.setUint16(22, channels, true);
  header.setUint32(24, rate, true);
  header.setUint32(28, rate * channels * 2, true);
  header.setUint16(32, channels * 2, true);
  header.setUint16(34, 16, true);
  data.set(Array.from("data", (letter) => letter.charCodeAt(0)), 36);
  header.setUint32(40, size, true);
  return { data, wav: told(data) };
}
