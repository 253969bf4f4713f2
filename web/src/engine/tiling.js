/**
 * A large image in tiles, equal to the whole image at once: the tiles of `burnish restore`, each run with what its result depends on
 * around it.
 */

/** @typedef {{rows: number, columns: number}} Tile */
/**
 * A part of an image: where it begins and ends, and which part of that is wanted; all on the grid of the image padded to multiples.
 * @typedef {{top: number, bottom: number, left: number, right: number, from: number, to: number, first: number, last: number}} Window
 */

const NARROW = 256; // columns that no window need have fewer of

/**
 * @param {number} length
 * @param {number} step
 */
function raised(length, step) {
  return Math.ceil(length / step) * step;
}

/**
 * The tile with which the fewest pixels of an image are computed twice; with its halo it has at most `pixels` pixels, but may have four
 * halos a side.
 * @param {number} height
 * @param {number} width
 * @param {number} halo
 * @param {number} multipleOf
 * @param {number} pixels
 * @returns {Tile}
 */
export function bestTile(height, width, halo, multipleOf, pixels) {
  const margin = raised(halo, multipleOf);
  const rows = Math.max(height, 4 * margin);
  const most = Math.max(pixels, 16 * margin ** 2);
  /** @param {number} length @param {number} limit */
  const cut = (length, limit) => {
    const parts = Math.ceil(length / Math.max(Math.floor(limit / multipleOf) * multipleOf, multipleOf));
    return Math.ceil(length / (parts * multipleOf)) * multipleOf;
  };
  /** @type {{tile: Tile, over: boolean, cost: number} | undefined} */
  let best;
  for (let count = 1; count < 2 + Math.floor(width / NARROW); count += 1) {
    const columns = cut(width, Math.ceil(width / count) + multipleOf - 1);
    const window = Math.min(Math.floor(most / Math.min(columns + 2 * margin, width)), rows);
    const tile = { rows: window >= height ? raised(height, multipleOf) : cut(height, window - 2 * margin), columns };
    const strips = Math.ceil(height / tile.rows);
    const across = Math.ceil(width / tile.columns);
    const over = Math.min(tile.rows + 2 * margin, height) * Math.min(tile.columns + 2 * margin, width) > most;
    const cost = (height + 2 * margin * (strips - 1)) * (width + 2 * margin * (across - 1));
    if (!best || Number(over) < Number(best.over) || (over === best.over && cost < best.cost)) best = { tile, over, cost };
  }
  return /** @type {{tile: Tile}} */ (best).tile;
}

/**
 * The windows that an image is run in, from top to bottom and left to right. They stand on the grid of `multipleOf`, so that strides fall
 * where they do in the whole, and end at the image's padded edges, where the network pads as it does for the whole.
 * @param {number} height
 * @param {number} width
 * @param {Tile} tile
 * @param {number} halo
 * @param {number} multipleOf
 * @returns {Window[]}
 */
export function windows(height, width, tile, halo, multipleOf) {
  const margin = raised(halo, multipleOf);
  const [fullHeight, fullWidth] = [raised(height, multipleOf), raised(width, multipleOf)];
  const found = [];
  for (let from = 0; from < height; from += tile.rows) {
    for (let first = 0; first < width; first += tile.columns) {
      found.push({
        top: Math.max(0, from - margin),
        bottom: Math.min(from + tile.rows + margin, fullHeight),
        left: Math.max(0, first - margin),
        right: Math.min(first + tile.columns + margin, fullWidth),
        from,
        to: Math.min(from + tile.rows, height),
        first,
        last: Math.min(first + tile.columns, width),
      });
    }
  }
  return found;
}

/**
 * The place inside an image of `length` that a place at or beyond its end mirrors, the edge repeated: … c d | d c ….
 * @param {number} at
 * @param {number} length
 */
export function mirrored(at, length) {
  const within = at % (2 * length);
  return within < length ? within : 2 * length - 1 - within;
}
