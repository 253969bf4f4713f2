/**
 * First, do no harm: what an image shows before it is restored, and whether what a model made of it can be right.
 */

import { scale } from "./channels.js";

/** @typedef {import("./channels.js").Picture} Picture */
/** @typedef {import("./channels.js").Layout} Layout */
/** @typedef {import("./channels.js").Span} Span */
/** What an image shows before it is restored. @typedef {Record<string, never>} Finding */
/** `taken`: what was taken away, in words; `why`: why the image is left as it is; `harm`: why the result cannot be right. @typedef {{restore: boolean, why: string, harm: string | null, taken: string}} Verdict */

/**
 * @param {Picture} _before
 * @param {Layout} _layout
 * @param {Span} _span
 * @returns {Finding}
 */
export function examined(_before, _layout, _span) {
  return {};
}

/**
 * @param {Finding} _finding
 * @param {Picture} before
 * @param {Picture} after
 * @param {Layout} layout
 * @param {Span} span
 * @param {import("./run.js").Card} _card
 * @returns {Verdict}
 */
export function judged(_finding, before, after, layout, span, _card) {
  const change = changes(before, after, layout, span);
  return { restore: true, why: "", harm: null, taken: taken(change) };
}

/**
 * By how much values changed, on 0–1: the root of the mean square, and the change that one in a thousand values exceeds.
 * @param {Picture} before
 * @param {Picture} after
 * @param {Layout} layout
 * @param {Span} span
 */
export function changes(before, after, layout, span) {
  const bins = new Float64Array(4096);
  const { unit } = scale(before.data, span);
  const channels = [...new Set(layout.groups.flat())];
  let [squares, count] = [0, 0];
  for (let at = 0; at < before.data.length; at += before.bands) {
    for (const channel of channels) {
      const change = Math.abs(unit(after.data[at + channel]) - unit(before.data[at + channel]));
      if (Number.isNaN(change)) continue;
      squares += change * change;
      bins[Math.min(4095, Math.floor(change * 4095))] += 1;
      count += 1;
    }
  }
  let [rest, bin] = [0.001 * count, 4095];
  for (; bin > 0 && rest > bins[bin]; bin -= 1) rest -= bins[bin];
  return { mean: Math.sqrt(squares / Math.max(1, count)), most: bin / 4095 };
}

/** @param {{mean: number, most: number}} change */
function taken({ mean, most }) {
  const [levels, peak] = [255 * mean, 255 * most];
  if (levels < 0.05) return "next to nothing was taken away";
  return `taken away: about ${levels.toFixed(1)} of 255 levels from each pixel, up to ${Math.round(peak)} where it was most`;
}
