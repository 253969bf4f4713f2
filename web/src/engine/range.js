/** Black and white in a picture, told from its type, its tags and its values. */

import { isEmpty } from "./channels.js";

/** @typedef {import("./channels.js").Picture} Picture */
/** @typedef {import("./channels.js").Layout} Layout */

const DEPTHS = [10, 12, 14, 16]; // bits that cameras and microscopes put into 16

/**
 * Raises an Error for floats that are no numbers. `top`: the largest value that a TIFF's tags allow, if they say.
 * @param {Picture} picture
 * @param {Layout} layout
 * @param {string} format
 * @param {number | undefined} top
 * @returns {import("./channels.js").Span}
 */
export function spanOf(picture, layout, format, top) {
  if (picture.data instanceof Uint8Array) return { low: 0, high: 255 };
  if (format !== "tiff") return { low: 0, high: 65535 };
  const { low, high } = extremes(picture, layout);
  if (low > high) return { low: 0, high: 1 }; // no pixel holds data
  if (picture.data instanceof Float32Array) {
    if (!Number.isFinite(low) || !Number.isFinite(high))
      throw new Error("holds values that are no numbers (NaN or infinite); replace them first");
    return low < high && !(low >= 0 && high <= 1) ? { low, high } : { low: Math.min(0, low), high: Math.max(1, high) };
  }
  if (top && high <= top) return { low: 0, high: top };
  return { low: 0, high: 2 ** (DEPTHS.find((bits) => high < 2 ** bits) ?? 16) - 1 };
}

/**
 * The lowest and highest value of the colours, where they show.
 * @param {Picture} picture
 * @param {Layout} layout
 */
function extremes(picture, layout) {
  const channels = [...new Set(layout.groups.flat())];
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < picture.data.length; at += picture.bands) {
    if (layout.nodata !== undefined && channels.some((channel) => isEmpty(picture.data[at + channel], layout.nodata))) continue;
    for (const channel of channels) {
      const value = picture.data[at + channel];
      if (!(value >= low)) low = value;
      if (!(value <= high)) high = value;
      if (Number.isNaN(value)) return { low: NaN, high: NaN };
    }
  }
  return { low, high };
}
