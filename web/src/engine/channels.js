/** An image's channels as the planes a model takes, and back: grey through a colour model, colour through a grey one, alpha past it. */

/** @typedef {Uint8Array | Uint16Array | Float32Array} Samples */
/** Interleaved samples from top to bottom. @typedef {{data: Samples, width: number, height: number, bands: number}} Picture */
/** Black and white. @typedef {{low: number, high: number}} Span */
/**
 * Which channels go together into the model, one group for each image of the batch; channels in no group pass by untouched. `inverted`:
 * they are inks, which a model of light sees the other way round. `alpha`: the channel that is transparency, −1 for none. `nodata`: the
 * value that stands where nothing was measured, NaN too; undefined for none.
 * @typedef {{groups: number[][], inverted: boolean, alpha: number, nodata?: number}} Layout
 */

export const FILL_REACH = 16; // pixels

/**
 * How `bands` channels, the last one alpha or not, go through a model that takes `taken`; null when they cannot. `extra` channels behind
 * the colours are neither colours nor transparency, and pass by.
 * @param {number} bands
 * @param {number} taken
 * @param {{alpha: boolean, inks: boolean, extra: number, nodata?: number}} told
 * @returns {Layout | null}
 */
export function layoutOf(bands, taken, told) {
  const colours = bands - Number(told.alpha) - told.extra;
  const alpha = told.alpha ? bands - 1 : -1;
  const every = Array.from({ length: colours }, (_, channel) => channel);
  const base = { inverted: told.inks, alpha, nodata: told.nodata };
  if (colours === taken) return { ...base, groups: [every] };
  if (colours === 1) return { ...base, inverted: false, groups: [Array(taken).fill(0)] };
  if (taken === 1) return { ...base, groups: every.map((channel) => [channel]) };
  if (taken === 3 && colours === 4 && told.inks)
    return {
      ...base,
      inverted: true,
      groups: [
        [0, 1, 2],
        [3, 3, 3],
      ],
    };
  return null;
}

/** Whether some pixels may have values that do not show. @param {Layout} layout */
export function hides(layout) {
  return layout.alpha >= 0 || layout.nodata !== undefined;
}

/** Whether a value stands where nothing was measured. @param {number} value @param {number | undefined} nodata */
export function isEmpty(value, nodata) {
  return nodata !== undefined && (Number.isNaN(nodata) ? Number.isNaN(value) : value === nodata);
}

/**
 * What a picture's values are on 0–1, and back as they are stored: whole numbers rounded half to even and kept within their type.
 * @param {Samples} samples
 * @param {Span} span
 */
export function scale(samples, span) {
  const range = span.high - span.low;
  const top = samples instanceof Uint8Array ? 255 : samples instanceof Uint16Array ? 65535 : 0;
  return {
    /** @param {number} value */
    unit: (value) => Math.fround((value - span.low) / range),
    /** @param {number} value */
    stored: (value) =>
      top ? Math.min(top, Math.max(0, even(Math.fround(Math.fround(value * range) + span.low)))) : value * range + span.low,
  };
}

/** @param {number} value */
function even(value) {
  const low = Math.floor(value);
  const rest = value - low;
  return rest < 0.5 || (rest === 0.5 && low % 2 === 0) ? low : low + 1;
}

/**
 * Planes on 0–1, each of `width`×`height`, where those of hidden pixels are replaced by the colours of the visible ones near by, of up to
 * FILL_REACH pixels away, in place. What is hidden is often black, or rubbish, and a network would draw it into the edges of what is seen.
 * Farther from them it is only brought onto 0–1.
 * @param {Float32Array} planes
 * @param {Uint8Array} hidden
 * @param {number} width
 */
export function fill(planes, hidden, width) {
  if (!hidden.includes(1)) return;
  const size = hidden.length;
  const height = size / width;
  const known = spread(
    Float32Array.from(hidden, (each) => 1 - each),
    width,
    height,
  );
  for (let start = 0; start < planes.length; start += size) {
    const plane = planes.subarray(start, start + size);
    const sums = spread(
      plane.map((value, at) => (hidden[at] ? 0 : value)),
      width,
      height,
    );
    for (let at = 0; at < size; at += 1) {
      if (hidden[at]) plane[at] = known[at] > 0 ? sums[at] / known[at] : Math.min(1, Math.max(0, plane[at] || 0));
    }
  }
}

/**
 * A plane under a Gaussian kernel along both axes, nothing coming in from outside.
 * @param {Float32Array} plane
 * @param {number} width
 * @param {number} height
 */
function spread(plane, width, height) {
  const taps = Array.from({ length: 2 * FILL_REACH + 1 }, (_, at) => Math.exp(-0.5 * ((at - FILL_REACH) / (FILL_REACH / 5)) ** 2));
  const down = new Float32Array(plane.length);
  for (let y = 0; y < height; y += 1) {
    for (let other = Math.max(0, y - FILL_REACH); other <= Math.min(height - 1, y + FILL_REACH); other += 1) {
      const weight = taps[other - y + FILL_REACH];
      for (let x = 0; x < width; x += 1) down[y * width + x] += weight * plane[other * width + x];
    }
  }
  const result = new Float32Array(plane.length);
  for (let row = 0; row < down.length; row += width) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let other = Math.max(0, x - FILL_REACH); other <= Math.min(width - 1, x + FILL_REACH); other += 1) {
        sum += taps[other - x + FILL_REACH] * down[row + other];
      }
      result[row + x] = sum;
    }
  }
  return result;
}
