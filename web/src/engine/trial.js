/** A photo tried and judged: all of a small one, samples of a large one, as `burnish restore` does; and restored if that is right. */

import { examined } from "./finding.js";
import { Comparison, PATCH, needless, refusal, words } from "./gate.js";
import { Look } from "./look.js";
import { colours, concealed, cropped, masked } from "./parts.js";
import { restored } from "./run.js";

/** @typedef {import("./channels.js").Picture} Picture */
/** @typedef {import("./channels.js").Layout} Layout */
/** @typedef {import("./channels.js").Span} Span */
/** @typedef {import("./run.js").Card & import("./gate.js").Card} Card */
/**
 * `after`: the photo restored at full strength, where it is; `why`: why it is left as it is; `taken`: what was taken away, in words.
 * @typedef {{after?: Picture, why: string, taken: string[]}} Trial
 */

const [SAMPLES, SAMPLE_SIDE] = [24, 256]; // what is looked at of a large image to tell its noise and blur
const HELD = 1 << 22; // bytes of pixels up to which all of a photo is looked at
const TRIED = 16; // a large photo is tried on a sixteenth of its pixels,
const [FEWEST, MOST] = [4, 8]; // but at least on so many of its samples and at most on so many

/**
 * Raises an Error for a result that cannot be right.
 * @param {Picture} before
 * @param {Layout} layout
 * @param {Span} span
 * @param {Card} card
 * @param {import("./run.js").Graph} graph
 * @param {(share: number) => void} advance
 * @param {boolean} [force] whether to restore whatever comes of it
 * @returns {Promise<Trial>}
 */
export async function tried(before, layout, span, card, graph, advance, force = false) {
  if (force) return forced(before, await restored(before, layout, span, card, graph, advance), layout, span);
  const pixels = before.width * before.height;
  const small = before.data.byteLength <= HELD;
  const places = samples(before);
  const finding = examined(places.map((box) => shown(before, layout, span, box)));
  const unfit = refusal(finding, card);
  if (unfit) return { why: unfit, taken: [] };
  const chosen =
    small || card.input_size ? [] : some(places, Math.max(FEWEST, Math.min(MOST, Math.floor(pixels / TRIED / SAMPLE_SIDE ** 2))));
  const trial = new Comparison(finding, pixels);
  let look = new Look(chosen.reduce((sum, box) => sum + box.height * box.width, 0));
  for (const box of chosen) {
    const sample = cropped(before, box);
    compare(sample, await restored(sample, layout, span, card, graph, () => {}), layout, span, trial, look);
  }
  if (chosen.length) judged(trial);
  const early = chosen.length ? needless(finding, trial.change(), look.taken(), card) : "";
  if (early) return { why: early, taken: [] };
  const after = await restored(before, layout, span, card, graph, advance);
  const whole = new Comparison(finding, pixels);
  if (!chosen.length) look = new Look(pixels);
  compare(before, after, layout, span, whole, chosen.length ? null : look);
  judged(whole);
  const taken = look.taken();
  const why = chosen.length ? "" : needless(finding, whole.change(), taken, card);
  return why ? { why, taken: [] } : { after, why: "", taken: words(taken) };
}

/**
 * What was taken away, right or not.
 * @param {Picture} before
 * @param {Picture} after
 * @param {Layout} layout
 * @param {Span} span
 * @returns {Trial}
 */
function forced(before, after, layout, span) {
  const look = new Look(before.width * before.height);
  compare(before, after, layout, span, null, look);
  return { after, why: "", taken: words(look.taken()) };
}

/** Raises an Error for what cannot be right. @param {Comparison} watch */
function judged(watch) {
  const harm = watch.harm();
  if (harm) throw new Error(`nothing was written, since ${harm}`);
}

/**
 * Show a picture and its result, band after band, to those who look.
 * @param {Picture} before
 * @param {Picture} after
 * @param {Layout} layout
 * @param {Span} span
 * @param {Comparison | null} watch
 * @param {Look | null} look
 */
function compare(before, after, layout, span, watch, look) {
  for (let top = 0; top < before.height; top += PATCH) {
    const rows = { top, left: 0, height: Math.min(PATCH, before.height - top), width: before.width };
    watch?.add(colours(before, layout, span, rows, watch.every), colours(after, layout, span, rows, watch.every));
    for (const [left, right] of look?.windows(before.width) ?? []) {
      const box = { ...rows, left, width: right - left };
      const mask = concealed(before, layout, box);
      look?.add(masked(colours(before, layout, span, box), mask, 0), masked(colours(after, layout, span, box), mask, 0));
    }
  }
}

/**
 * A sample as it is seen: inks as light, NaN where nothing is.
 * @param {Picture} picture
 * @param {Layout} layout
 * @param {Span} span
 * @param {import("./parts.js").Box} box
 */
function shown(picture, layout, span, box) {
  const part = masked(colours(picture, layout, span, box), concealed(picture, layout, box), NaN);
  return layout.inverted ? { ...part, data: part.data.map((value) => 1 - value) } : part;
}

/** Where samples are taken: evenly, on the grid of JPEG's blocks. @param {Picture} picture @returns {import("./parts.js").Box[]} */
function samples({ width, height }) {
  /** @type {import("./parts.js").Box[]} */
  const every = [];
  for (let top = 0; top < Math.max(1, height - SAMPLE_SIDE / 2); top += SAMPLE_SIDE) {
    for (let left = 0; left < Math.max(1, width - SAMPLE_SIDE / 2); left += SAMPLE_SIDE) {
      every.push({ top, left, height: Math.min(SAMPLE_SIDE, height - top), width: Math.min(SAMPLE_SIDE, width - left) });
    }
  }
  const count = Math.min(every.length, SAMPLES);
  const at = Array.from({ length: count }, (_, index) => (count > 1 ? Math.floor((index * (every.length - 1)) / (count - 1)) : 0));
  return [...new Set(at)].map((index) => every[index]);
}

/** @template T @param {T[]} items @param {number} count */
function some(items, count) {
  const step = Math.ceil(items.length / count);
  return items.filter((_, at) => at % step === 0);
}
