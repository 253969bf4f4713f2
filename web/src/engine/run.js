/** A picture through a model, window by window. */

import { bestTile, mirrored, windows } from "./tiling.js";
import { FILL_REACH, fill, hides, isEmpty, scale } from "./channels.js";

/** @typedef {import("./channels.js").Picture} Picture */
/** @typedef {import("./channels.js").Layout} Layout */
/** @typedef {import("./channels.js").Span} Span */
/** @typedef {import("./tiling.js").Window} Window */
/**
 * What is needed of a model's card.
 * @typedef {{name: string, channels: number, input_size: number[] | null, multiple_of: number, halo: number}} Card
 */
/**
 * The graph: a batch N×C×H×W in, one of the same shape out.
 * @typedef {(batch: Float32Array, dims: number[]) => Promise<Float32Array>} Graph
 */

export const WHOLE = 5 << 17; // pixels run as one, as `burnish restore` has it

/**
 * The picture restored at full strength. `advance` is told the share that is done, from 0 to 1.
 * @param {Picture} before
 * @param {Layout} layout
 * @param {Span} span
 * @param {Card} card
 * @param {Graph} graph
 * @param {(share: number) => void} advance
 * @param {number} [whole]
 * @returns {Promise<Picture>}
 */
export async function restored(before, layout, span, card, graph, advance, whole = WHOLE) {
  const { width, height } = before;
  const halo = card.halo + (hides(layout) ? FILL_REACH : 0);
  const pixels = card.input_size ? width * height : Math.floor(whole / layout.groups.length);
  const tile = bestTile(height, width, halo, card.multiple_of, pixels);
  const after = { ...before, data: before.data.slice() };
  const parts = windows(height, width, tile, halo, card.multiple_of);
  const total = parts.reduce((sum, each) => sum + area(each), 0);
  let done = 0;
  for (const window of parts) {
    const { batch, hidden } = gathered(before, layout, span, window);
    const planes = layout.groups.length * card.channels;
    const size = batch.length / planes;
    const dims = [layout.groups.length, card.channels, window.bottom - window.top, window.right - window.left];
    const result = await graph(batch, dims);
    if (result.length !== planes * size) throw new Error(`${card.name}: gave an image of another size; the model file is broken`);
    scatter(result, hidden, before, after, layout, span, window, card.name);
    done += area(window);
    advance(done / total);
  }
  return after;
}

/** @param {Window} window */
function area(window) {
  return (window.bottom - window.top) * (window.right - window.left);
}

/**
 * What the graph is given of a window: its planes on 0–1, as light; and which of its pixels do not show, if any may.
 * @param {Picture} picture
 * @param {Layout} layout
 * @param {Span} span
 * @param {Window} window
 */
export function gathered(picture, layout, span, window) {
  const { data, width, height, bands } = picture;
  const columns = window.right - window.left;
  const rows = window.bottom - window.top;
  const size = rows * columns;
  const channels = layout.groups.flat();
  const batch = new Float32Array(channels.length * size);
  const hidden = hides(layout) ? new Uint8Array(size) : null;
  const { unit } = scale(data, span);
  const across = Int32Array.from({ length: columns }, (_, x) => mirrored(window.left + x, width) * bands);
  for (let y = 0; y < rows; y += 1) {
    const row = mirrored(window.top + y, height) * width * bands;
    channels.forEach((channel, plane) => {
      const start = plane * size + y * columns;
      for (let x = 0; x < columns; x += 1) {
        const value = data[row + across[x] + channel];
        const empty = isEmpty(value, layout.nodata);
        if (empty && hidden) hidden[y * columns + x] = 1;
        const seen = empty ? 0 : unit(value);
        batch[start + x] = layout.inverted ? 1 - seen : seen;
      }
    });
    if (hidden && layout.alpha >= 0) {
      for (let x = 0; x < columns; x += 1) if (!(data[row + across[x] + layout.alpha] > 0)) hidden[y * columns + x] = 1;
    }
  }
  if (hidden) fill(batch, hidden, columns);
  return { batch, hidden };
}

/**
 * Put what the graph gave of a window into `after`; a channel that went in several times comes out as the mean. Hidden pixels stay as
 * they are.
 * @param {Float32Array} result
 * @param {Uint8Array | null} hidden
 * @param {Picture} before
 * @param {Picture} after
 * @param {Layout} layout
 * @param {Span} span
 * @param {Window} window
 * @param {string} name
 */
function scatter(result, hidden, before, after, layout, span, window, name) {
  const columns = window.right - window.left;
  const size = (window.bottom - window.top) * columns;
  const { stored } = scale(before.data, span);
  const planes = layout.groups.flat();
  for (const channel of new Set(planes)) {
    const sources = planes.flatMap((each, plane) => (each === channel ? [plane * size] : []));
    for (let y = window.from; y < window.to; y += 1) {
      const from = (y - window.top) * columns - window.left;
      const to = y * before.width;
      for (let x = window.first; x < window.last; x += 1) {
        if (hidden && hidden[from + x]) continue;
        let sum = 0;
        for (const start of sources) {
          const value = result[start + from + x];
          if (!Number.isFinite(value))
            throw new Error(`${name}: gave values that are no numbers; the model file is broken, or was trained badly`);
          const light = Math.min(1, Math.max(0, value));
          sum += stored(layout.inverted ? 1 - light : light);
        }
        const mean = sum / sources.length;
        after.data[(to + x) * before.bands + channel] = before.data instanceof Float32Array ? mean : Math.round(mean);
      }
    }
  }
}

/**
 * Between the picture as it was (0) and as restored (1).
 * @param {Picture} before
 * @param {Picture} after
 * @param {number} strength
 * @returns {Picture}
 */
export function blended(before, after, strength) {
  if (strength >= 1) return after;
  const data = after.data.slice();
  const whole = !(data instanceof Float32Array);
  for (let at = 0; at < data.length; at += 1) {
    const was = before.data[at];
    if (data[at] === was) continue;
    const value = was + strength * (data[at] - was);
    data[at] = whole ? Math.round(value) : value;
  }
  return { ...after, data };
}
