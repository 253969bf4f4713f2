/**
 * The worker that restores: a file in, a file out, with what it lacks in words. It knows one model at a time, and is thrown away now and
 * then, since the memory of WebAssembly never shrinks.
 */

import * as ort from "./vendor/ort.wasm.min.mjs";
import Vips from "./vendor/vips-es6.js";
import { ENDINGS, sniff } from "./containers/sniff.js";
import { layoutOf } from "./engine/channels.js";
import { spanOf } from "./engine/range.js";
import { blended } from "./engine/run.js";
import { tried } from "./engine/trial.js";
import { decoded, encoded, shown, told } from "./engine/vips.js";
import { MAX_BYTES, tooLarge } from "./limits.js";
import { graphOf } from "./sound/graph.js";
import * as sound from "./sound/restore.js";
import * as wav from "./sound/wav.js";
import { kept } from "./store.js";

/** @typedef {import("./jobs.js").Restore} Restore */
/** @typedef {import("./jobs.js").Encode} Encode */
/** @typedef {import("./jobs.js").Outcome} Outcome */

const VENDOR = new URL("vendor/", import.meta.url).href;
const THREADS = 8; // more gain nothing on tiles of this size

/** @type {Promise<any> | undefined} */
let vips;
/** @type {{file: string, session: any} | undefined} */
let loaded;

addEventListener("message", async (/** @type {MessageEvent<Restore | Encode>} */ event) => {
  const job = event.data;
  try {
    const file = await opened(job.file);
    const outcome = await (job.type === "restore" ? restore(job, file) : encode(job, file));
    postMessage({ type: "done", id: job.id, outcome });
  } catch (error) {
    console.debug(error);
    postMessage({ type: "failed", id: job.id, why: words(error), harmless: error instanceof Refusal });
  }
});

/** What is said of a file that is not restored here; all else that goes wrong may have left the worker broken. */
class Refusal extends Error {}

/** @param {unknown} error */
function words(error) {
  const why = error instanceof Error ? error.message : String(error);
  if (/memory|allocation|out of bounds/i.test(why) && !/this page takes/.test(why))
    return `the memory of this page is used up (${why}); close other pages, or use burnish restore`;
  return why.trim().split("\n")[0].slice(0, 400);
}

function loadedVips() {
  vips ??= Vips({ dynamicLibraries: [], locateFile: (/** @type {string} */ name) => VENDOR + name }).then((/** @type {any} */ made) => {
    made.concurrency(1);
    return made;
  });
  return vips;
}

/** @param {import("./jobs.js").Model} model */
async function session(model) {
  if (loaded?.file === model.file) return loaded.session;
  await loaded?.session.release();
  loaded = undefined;
  ort.env.wasm.wasmPaths = VENDOR;
  ort.env.wasm.numThreads = globalThis.crossOriginIsolated ? Math.max(1, Math.min(THREADS, navigator.hardwareConcurrency || 1)) : 1;
  ort.env.logLevel = "error";
  const response = await fetch(new URL(model.file, import.meta.url));
  if (!response.ok) throw new Error(`the model ${model.name} could not be loaded (${response.status}); load the page again`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  loaded = {
    file: model.file,
    session: await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], enableMemPattern: false }),
  };
  return loaded.session;
}

/**
 * A photo that is opened, or a recording.
 * @typedef {{kind: "image", data: Uint8Array, photo: import("./engine/vips.js").Told, library: any}} Photo
 * @typedef {{kind: "audio", data: Uint8Array, recording: import("./sound/wav.js").Wav}} Recording
 */

/**
 * The file's bytes and what its header tells. Raises Refusal for what is not restored here.
 * @param {File} file
 * @returns {Promise<Photo | Recording>}
 */
async function opened(file) {
  const head = new Uint8Array(await file.slice(0, 16).arrayBuffer());
  const found = sniff(head);
  if ("refusal" in found) throw new Refusal(found.refusal);
  if (file.size > MAX_BYTES) {
    throw new Refusal(
      `has ${Math.round(file.size / 1e6)} MB; this page takes files of at most ${MAX_BYTES / 1e6} MB, burnish restore on the command line any`,
    );
  }
  const data = new Uint8Array(await file.arrayBuffer());
  if (found.format === "wav") return { kind: "audio", data, recording: refused(() => wav.told(data)) };
  const { format } = found;
  const library = await loadedVips();
  const photo = refused(() => told(library, data, format));
  const large = tooLarge(photo, file.size);
  if (large) throw new Refusal(large);
  return { kind: "image", data, photo, library };
}

/** What a header tells; what is wrong with it as Refusal. @template T @param {() => T} read @returns {T} */
function refused(read) {
  try {
    return read();
  } catch (error) {
    throw error instanceof Error ? new Refusal(error.message, { cause: error }) : error;
  }
}

/** @param {Restore} job @param {Photo | Recording} file @returns {Promise<Outcome>} */
async function restore(job, file) {
  const model = job.models[file.kind];
  if (!model) throw new Refusal(`is ${file.kind === "image" ? "a photo" : "a recording"}, for which there is no model here`);
  const began = performance.now();
  /** @param {number} share */
  const advance = (share) => postMessage({ type: "progress", id: job.id, share });
  const outcome = await (file.kind === "image" ? photograph(job, model, file, advance) : recording(job, model, file, advance));
  return { ...outcome, seconds: (performance.now() - began) / 1000 };
}

/** @typedef {(share: number) => void} Advance */

/**
 * @param {Restore} job
 * @param {import("./jobs.js").Model} model
 * @param {Photo} file
 * @param {Advance} advance
 * @returns {Promise<Outcome>}
 */
async function photograph(job, model, { data, photo, library }, advance) {
  const card = model.card;
  const size = card.input_size;
  if (size && (size[0] !== photo.height || size[1] !== photo.width)) {
    throw new Error(
      `${model.name} takes only images of ${size[0]}×${size[1]} (height × width), this is ${photo.height}×${photo.width}; choose another model`,
    );
  }
  const layout = layoutOf(photo.bands, card.channels, photo);
  if (!layout) throw new Error(`${model.name} takes ${card.channels} channel(s), the image has ${photo.bands}; choose another model`);
  const graph = await session(model);
  const before = decoded(library, data, photo.format);
  const span = spanOf(before, layout, photo.format, photo.top);
  /** @type {import("./engine/run.js").Graph} */
  const run = async (batch, dims) => {
    const input = new ort.Tensor("float32", batch, dims);
    const results = await graph.run({ image: input }, ["restored"]);
    const values = /** @type {Float32Array} */ (results.restored.data).slice();
    results.restored.dispose();
    return values;
  };
  const { after, why, taken } = await tried(before, layout, span, card, run, advance, job.force);
  /** @type {Outcome} */
  const outcome = {
    kind: "image",
    status: after ? "restored" : "unchanged",
    ending: ENDINGS[photo.format],
    notes: after ? taken : [why],
    lost: [],
    size: `${photo.width} × ${photo.height}`,
    pixels: photo.width * photo.height,
    seconds: 0,
    result: job.file,
  };
  if (!after) return outcome;
  const coded = encoded(library, data, photo, after);
  outcome.result = new Blob(coded.parts.map(plain), { type: job.file.type });
  outcome.lost = coded.lost;
  outcome.full = await kept(job.tab, job.id, plain(new Uint8Array(after.data.buffer, after.data.byteOffset, after.data.byteLength)));
  if (photo.format === "tiff")
    outcome.shown = { before: png(shown(library, before, span, photo)), after: png(shown(library, after, span, photo)) };
  return outcome;
}

/**
 * @param {Restore} job
 * @param {import("./jobs.js").Model} model
 * @param {Recording} file
 * @param {Advance} advance
 * @returns {Promise<Outcome>}
 */
async function recording(job, model, { data, recording: header }, advance) {
  const graph = graphOf(ort, await session(model));
  const { after, residual, why, taken } = await sound.restored(data, header, graph, model.name, advance, job.force);
  /** @type {Outcome} */
  const outcome = {
    kind: "audio",
    status: after ? "restored" : "unchanged",
    ending: "wav",
    notes: after ? taken : [why],
    lost: [],
    size: `${clock(header.samples / header.rate)} at ${header.rate / 1000} kHz`,
    pixels: 0,
    seconds: 0,
    result: job.file,
  };
  if (!after || !residual) return outcome;
  const full = await kept(job.tab, job.id, plain(after));
  outcome.result = outcome.full = full.slice(0, full.size, "audio/wav");
  const away = await kept(job.tab, `${job.id}-taken`, plain(residual));
  outcome.taken = away.slice(0, away.size, "audio/wav");
  return outcome;
}

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A file once more at another strength, from its result at full strength. @param {Encode} job @param {Photo | Recording} file */
async function encode(job, file) {
  const bytes = await job.full.arrayBuffer();
  if (file.kind === "audio") {
    return { result: new Blob([plain(sound.blended(file.data, new Uint8Array(bytes), job.strength))], { type: "audio/wav" }) };
  }
  const { data, photo, library } = file;
  const before = decoded(library, data, photo.format);
  const samples =
    before.data instanceof Uint8Array
      ? new Uint8Array(bytes)
      : before.data instanceof Uint16Array
        ? new Uint16Array(bytes)
        : new Float32Array(bytes);
  const coded = encoded(library, data, photo, blended(before, { ...before, data: samples }, job.strength));
  return { result: new Blob(coded.parts.map(plain), { type: job.file.type }) };
}

/** @param {Uint8Array} bytes */
function png(bytes) {
  return new Blob([plain(bytes)], { type: "image/png" });
}

/** Bytes outside of memory that threads share, which a Blob does not take. @param {Uint8Array} bytes @returns {Uint8Array<ArrayBuffer>} */
function plain(bytes) {
  return bytes.buffer instanceof ArrayBuffer ? /** @type {Uint8Array<ArrayBuffer>} */ (bytes) : new Uint8Array(bytes);
}
