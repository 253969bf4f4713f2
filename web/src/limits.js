/** What a page can hold: asked before anything is decoded. */

export const MAX_BYTES = 190_000_000; // of a file
const MAX_MEMORY = 1_500_000_000;
const BASE = 600_000_000; // bytes that the model, libvips and the tile that is computed take

/**
 * The bytes of memory that a photo takes at most while it is restored.
 * @param {number} pixels
 * @param {number} bands
 * @param {number} bytes of a sample
 * @param {number} file bytes of the file
 */
export function needed(pixels, bands, bytes, file) {
  return BASE + 4 * pixels * bands * bytes + 2 * file; // as it was and as it is, each once more while libvips has it
}

/**
 * Why a photo is too large for a page, or undefined.
 * @param {{width: number, height: number, bands: number, bytes: number}} photo
 * @param {number} file bytes of the file
 */
export function tooLarge({ width, height, bands, bytes }, file) {
  const memory = needed(width * height, bands, bytes, file);
  if (memory <= MAX_MEMORY) return undefined;
  const megapixels = (width * height) / 1e6;
  return (
    `has ${megapixels.toFixed(0)} megapixels, which would take ${(memory / 1e9).toFixed(1)} GB of memory; this page takes at most ` +
    `${MAX_MEMORY / 1e9} GB. burnish restore on the command line takes little for any size`
  );
}
