/** What a photo carries beside its pixels, brought into the new file of the same format, byte for byte. */

import * as jpeg from "./jpeg.js";
import * as png from "./png.js";
import * as tiff from "./tiff.js";
import * as webp from "./webp.js";

const CARRIED = { jpeg: jpeg.carried, png: png.carried, webp: webp.carried, tiff: tiff.carried };

/**
 * The original with the pixels of `coded`, in the parts that follow one another in the new file, and what it lacks, in words.
 * @param {import("./sniff.js").Format} format
 * @param {Uint8Array} original
 * @param {Uint8Array} coded
 */
export function carried(format, original, coded) {
  /** @type {string[]} */
  const lost = [];
  const parts = CARRIED[format](original, coded, lost);
  return { parts, lost: [...new Set(lost)] };
}
