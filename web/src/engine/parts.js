/** Parts of a picture as numbers on 0–1, and what their blocks show. */

import { hides, isEmpty, scale } from "./channels.js";

/** @typedef {import("./channels.js").Picture} Picture */
/** @typedef {import("./channels.js").Layout} Layout */
/** @typedef {import("./channels.js").Span} Span */
/** Interleaved values. @typedef {{data: Float32Array, width: number, height: number, bands: number}} Part */
/** @typedef {{top: number, left: number, height: number, width: number}} Box */

/**
 * The colours of a part of a picture on 0–1, 0 where there is no data; each `every`th row and column of it.
 * @param {Picture} picture
 * @param {Layout} layout
 * @param {Span} span
 * @param {Box} box
 * @param {number} [every]
 * @returns {Part}
 */
export function colours(picture, layout, span, box, every = 1) {
  const channels = [...new Set(layout.groups.flat())].sort((one, other) => one - other);
  const { unit } = scale(picture.data, span);
  const [height, width] = [Math.ceil(box.height / every), Math.ceil(box.width / every)];
  const data = new Float32Array(height * width * channels.length);
  let to = 0;
  for (let y = 0; y < height; y += 1) {
    let from = ((box.top + y * every) * picture.width + box.left) * picture.bands;
    for (let x = 0; x < width; x += 1, from += every * picture.bands) {
      for (const channel of channels) {
        const value = picture.data[from + channel];
        data[to] = isEmpty(value, layout.nodata) ? 0 : unit(value);
        to += 1;
      }
    }
  }
  return { data, width, height, bands: channels.length };
}

/**
 * Which pixels of a part do not show; null where all do.
 * @param {Picture} picture
 * @param {Layout} layout
 * @param {Box} box
 */
export function concealed(picture, layout, box) {
  if (!hides(layout)) return null;
  const channels = layout.groups.flat();
  const mask = new Uint8Array(box.height * box.width);
  for (let at = 0; at < mask.length; at += 1) {
    const from = ((box.top + Math.floor(at / box.width)) * picture.width + box.left + (at % box.width)) * picture.bands;
    const empty = channels.some((channel) => isEmpty(picture.data[from + channel], layout.nodata));
    mask[at] = Number(empty || (layout.alpha >= 0 && !(picture.data[from + layout.alpha] > 0)));
  }
  return mask;
}

/** A part with one value where a mask is set. @param {Part} part @param {Uint8Array | null} mask @param {number} value */
export function masked(part, mask, value) {
  mask?.forEach((set, at) => set && part.data.fill(value, at * part.bands, (at + 1) * part.bands));
  return part;
}

/** A part of a picture as a picture. @param {Picture} picture @param {Box} box @returns {Picture} */
export function cropped(picture, { top, left, height, width }) {
  const row = width * picture.bands;
  const data = picture.data.slice(0, height * row);
  for (let y = 0; y < height; y += 1) {
    const from = ((top + y) * picture.width + left) * picture.bands;
    data.set(picture.data.subarray(from, from + row), y * row);
  }
  return { data, width, height, bands: picture.bands };
}

/** The mean of the bands. @param {Part} part */
export function grey(part) {
  return Float32Array.from({ length: part.width * part.height }, (_, at) => {
    let sum = 0;
    for (let band = 0; band < part.bands; band += 1) sum += part.data[at * part.bands + band];
    return sum / part.bands;
  });
}

/**
 * Where blocks begin, and where the last one ends: what is left at an end is a block if it is more than half of one.
 * @param {number} length
 * @param {number} side
 */
function starts(length, side) {
  const found = [];
  for (let at = 0; at < Math.max(1, length - Math.floor(side / 2)); at += side) found.push(at);
  return [...found, length];
}

/**
 * The mean of each block of `side`×`side` pixels, band by band, of what `value` makes of each number.
 * @param {Part} part
 * @param {number} side
 * @param {(value: number) => number} value
 */
export function blockMeans(part, side, value) {
  const [rows, columns] = [starts(part.height, side), starts(part.width, side)];
  const means = new Float64Array((rows.length - 1) * (columns.length - 1) * part.bands);
  let to = 0;
  for (let row = 0; row + 1 < rows.length; row += 1) {
    for (let column = 0; column + 1 < columns.length; column += 1) {
      for (let y = rows[row]; y < rows[row + 1]; y += 1) {
        for (let x = columns[column]; x < columns[column + 1]; x += 1) {
          const from = (y * part.width + x) * part.bands;
          for (let band = 0; band < part.bands; band += 1) means[to + band] += value(part.data[from + band]);
        }
      }
      const count = (rows[row + 1] - rows[row]) * (columns[column + 1] - columns[column]);
      for (let band = 0; band < part.bands; band += 1) means[to + band] /= count;
      to += part.bands;
    }
  }
  return means;
}

/**
 * The value below which a share of sorted values lies, between two of them in proportion.
 * @param {ArrayLike<number>} sorted
 * @param {number} share
 */
export function quantile(sorted, share) {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
