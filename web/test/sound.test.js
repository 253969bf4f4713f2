import assert from "node:assert/strict";
import { test } from "node:test";
import { sniff } from "../src/containers/sniff.js";
import { Transform } from "../src/sound/fft.js";
import { Frames, hop } from "../src/sound/frames.js";
import { verdict } from "../src/sound/gate.js";
import { blended } from "../src/sound/restore.js";
import { Stream } from "../src/sound/stream.js";
import { Survey } from "../src/sound/survey.js";
import { decoded, encode, plain, told } from "../src/sound/wav.js";

/** Numbers of chance between −0.5 and 0.5. @param {number} length @param {number} seed */
function chance(length, seed) {
  return Float32Array.from({ length }, (_, at) => ((Math.imul(at + 1 + 7919 * seed, 2654435761) >>> 8) & 0xffff) / 65536 - 0.5);
}

/** The largest difference. @param {ArrayLike<number>} one @param {ArrayLike<number>} other */
function apart(one, other) {
  assert.equal(one.length, other.length);
  return Array.from(one).reduce((most, value, at) => Math.max(most, Math.abs(value - other[at])), 0);
}

/**
 * A graph that lets the frame before the last one through, so that nothing is changed.
 * @type {import("../src/sound/stream.js").Graph}
 */
async function unchanged(_spectra, frames) {
  const filters = new Float32Array(frames * 257 * 6);
  for (let at = 2; at < filters.length; at += 6) filters[at] = 1;
  return { filters, speech: new Float32Array(frames), state: null };
}

test("spectra are those of the definition, at lengths of all small primes, and lead back", () => {
  for (const length of [2, 6, 22, 50, 512, 706, 1408]) {
    const samples = chance(length, length);
    const [transform, spectrum, back] = [new Transform(length), new Float32Array(length + 2), new Float32Array(length)];
    transform.forward(samples, spectrum);
    for (let bin = 0; bin <= length / 2; bin += Math.ceil(length / 40)) {
      let [re, im] = [0, 0];
      for (let at = 0; at < length; at += 1) {
        re += samples[at] * Math.cos((2 * Math.PI * at * bin) / length);
        im -= samples[at] * Math.sin((2 * Math.PI * at * bin) / length);
      }
      assert.ok(Math.hypot(spectrum[2 * bin] - re, spectrum[2 * bin + 1] - im) < 1e-4, `${length}: ${bin}`);
    }
    transform.backward(spectrum, back);
    assert.ok(apart(back, samples) < 1e-6);
  }
});

test("frames are 16 ms apart at every rate, by numbers whose transforms are quick", () => {
  for (const [rate, step] of [
    [16000, 256],
    [44100, 704],
    [48000, 768],
    [8000, 128],
    [11025, 176],
    [22050, 352],
    [96000, 1536],
  ]) {
    assert.equal(hop(rate), step);
  }
  const frames = new Frames(176);
  const samples = chance(176 * 5, 1);
  assert.ok(apart(frames.samples(frames.spectra(samples)).slice(176, -176), samples.slice(176, -176)) < 1e-6);
});

test("a stream gives as much as it takes, at its place, whatever the pieces", async () => {
  for (const rate of [8000, 16000, 44100]) {
    const block = [chance(rate, 1), chance(rate, 2)];
    const survey = new Survey(rate, 2);
    survey.add(block);
    for (const size of [rate, 977]) {
      const stream = new Stream(unchanged, survey, "test");
      const parts = [];
      for (let at = 0; at < rate; at += size) parts.push(await stream.push(block.map((each) => each.slice(at, at + size))));
      parts.push(await stream.finish());
      // Above the model's bins a gain leads up to that of those below: none is lost here.
      for (const channel of [0, 1]) {
        const all = Float32Array.from(parts.flatMap((part) => [...part[channel]]));
        assert.ok(apart(all, block[channel]) < 1e-5, `${rate} ${size}`);
      }
    }
  }
});

test("a mix holds what the channels share, in opposite phase too", () => {
  const one = chance(4000, 1);
  const weights = (/** @type {Float32Array[]} */ ...channels) => {
    const survey = new Survey(16000, channels.length);
    survey.add(channels);
    return [...survey.weights()];
  };
  assert.ok(apart(weights(one, one.map((value) => -value)).map(Math.abs), [0.5, 0.5]) < 1e-6);
  assert.ok(weights(one, one.map((value) => -value)).reduce((product, value) => product * value, 1) < 0);
  assert.deepEqual(weights(one, new Float32Array(4000)), [1, 0]);
  assert.deepEqual(weights(new Float32Array(400), new Float32Array(400)), [0.5, 0.5]);
  const three = [one, one.map((value) => value / 2), chance(4000, 3).map((value) => value / 100)];
  const [first, second, third] = weights(...three);
  assert.ok(Math.abs(first / second - 2) < 0.01 && Math.abs(third) < 0.05);
});

test("samples go through every way to store them", () => {
  for (const [kind, bytes, error] of /** @type {["whole" | "float", number, number][]} */ ([
    ["whole", 1, 1 / 256],
    ["whole", 2, 1 / 65536],
    ["whole", 3, 1 / 16777216],
    ["whole", 4, 1 / 16777216],
    ["float", 4, 0],
    ["float", 8, 0],
  ])) {
    const wav = { rate: 16000, channels: 2, kind, bytes, start: 4, samples: 100, peaks: -1 };
    const data = new Uint8Array(4 + 200 * bytes);
    const block = [chance(100, 1), chance(100, 2)];
    encode(data, wav, 0, block);
    for (const channel of [0, 1]) assert.ok(apart(decoded(data, wav, 0, 1000)[channel], block[channel]) <= error);
    assert.deepEqual(decoded(data, wav, 90, 5)[0], decoded(data, wav, 0, 100)[0].slice(90, 95));
  }
  const { data, wav } = plain(8000, 1, 4);
  encode(data, wav, 0, [Float32Array.of(2, -2, 0.5 / 32768, 1.5 / 32768)]);
  assert.deepEqual([...new Int16Array(data.slice(44).buffer)], [32767, -32768, 0, 2]); // never wrapped; half to even
});

test("a header that is wrong, or of what is not read here, is refused in words", () => {
  const { data } = plain(16000, 2, 100);
  const changed = (/** @type {[number, number][]} */ ...bytes) => {
    const copy = data.slice();
    for (const [at, value] of bytes) copy[at] = value;
    return copy;
  };
  for (const [file, words] of /** @type {[Uint8Array, RegExp][]} */ ([
    [data.slice(0, 100), /cut short: its header promises 400 bytes of samples, there are 56/],
    [data.slice(0, 30), /cut short in its header/],
    [data.slice(0, 38), /samples are missing/],
    [changed([20, 7]), /in a way that this page does not read/],
    [changed([20, 0xfe], [21, 0xff]), /does not read/],
    [changed([24, 1], [25, 0]), /samples a second/],
    [changed([22, 9], [32, 18]), /9 channels/],
    [changed([22, 0]), /does not read/],
    [plain(16000, 1, 1).data.slice(0, 45), /cut short/],
  ])) {
    assert.throws(() => told(file), words);
  }
  assert.throws(() => told(plain(16000, 1, 0).data), /holds no samples/);
  const open = changed([40, 255], [41, 255], [42, 255], [43, 255]); // a length that its writer did not know
  assert.equal(told(open).samples, 100);
  const floats = { rate: 1, channels: 1, kind: /** @type {const} */ ("float"), bytes: 4, start: 0, samples: 1, peaks: -1 };
  assert.throws(() => decoded(new Uint8Array(new Float32Array([NaN]).buffer), floats, 0, 1), /not finite/);
});

test("strength blends a file with its result, and nothing else of it changes", () => {
  const [before, after] = [plain(16000, 1, 3), plain(16000, 1, 3)];
  encode(before.data, before.wav, 0, [Float32Array.of(0.5, 0, -0.5)]);
  encode(after.data, after.wav, 0, [Float32Array.of(0.25, 0, 0.5)]);
  const half = blended(before.data, after.data, 0.5);
  assert.deepEqual([...decoded(half, before.wav, 0, 3)[0]], [0.375, 0, 0]);
  assert.deepEqual(half.slice(0, 44), before.data.slice(0, 44));
});

test("the gate tells noisy speech from clean, and from what is none", () => {
  const speech = Array.from({ length: 200 }, (_, at) => (at % 50 < 30 ? 0.99 : 0.05));
  const power = speech.map((value) => (value > 0.5 ? 1 : 1e-4));
  const all = (/** @type {number} */ value) => speech.map(() => value);
  const deep = all(0.8);
  assert.equal(verdict({ speech, deep, power: power.map((value) => value + 0.1), residual: all(0.1) }, 0.016).why, "");
  assert.match(verdict({ speech, deep, power, residual: all(1e-4) }, 0.016).why, /it is clean: .* 40 dB below the speech/);
  assert.match(verdict({ speech: all(0.2), deep, power: all(1), residual: all(0.5) }, 0.016).why, /no speech/);
  assert.match(verdict({ speech, deep: all(0.02), power: power.map((value) => value + 0.1), residual: all(0.1) }, 0.016).why, /no speech/);
});

test("sounds are told by what they hold, and those that stay elsewhere are named", () => {
  const bytes = (/** @type {string} */ text) => Uint8Array.from(text.padEnd(16, "\0"), (letter) => letter.charCodeAt(0));
  assert.deepEqual(sniff(bytes("RIFF....WAVEfmt ")), { format: "wav" });
  assert.deepEqual(sniff(bytes("RF64....WAVEds64")), { format: "wav" });
  for (const [head, name] of [
    ["fLaC", "FLAC"],
    ["OggS", "Ogg"],
    ["ID3\x04", "MP3"],
    ["\xff\xfb\x90", "MP3"],
    ["FORM....AIFF", "AIFF"],
    ["\0\0\0\x20ftypM4A ", "AAC"],
  ]) {
    const found = sniff(bytes(head));
    assert.ok("refusal" in found && found.refusal.includes(name) && found.refusal.includes("WAV"), head);
  }
});
