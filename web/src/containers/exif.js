/** An EXIF block (CIPA DC-008), which is a small TIFF file: carried as it is, but for the thumbnail, which shows the picture as it was. */

import { startsWith, view } from "./bytes.js";

export const HEADER = "Exif\0\0";
export const THUMBNAIL = "its thumbnail, which shows the picture as it was";
const [JPEG_AT, JPEG_LENGTH] = [0x201, 0x202];

/**
 * Where a block's first directory begins and where it says where the second is, in places of `block`; null for what is no EXIF.
 * @param {Uint8Array} block with or without the header
 */
function firstDirectory(block) {
  const start = startsWith(block, HEADER) ? HEADER.length : 0;
  const little = startsWith(block, "II", start);
  if ((!little && !startsWith(block, "MM", start)) || block.length < start + 10) return null;
  const data = view(block);
  const at = start + data.getUint32(start + 4, little);
  if (at + 2 > block.length) return null;
  const link = at + 2 + 12 * data.getUint16(at, little);
  return link + 4 <= block.length ? { start, little, at, link, data } : null;
}

/**
 * The tags of a directory that hold one whole number.
 * @param {Uint8Array} block
 * @param {number} at
 * @param {boolean} little
 */
function wholeNumbers(block, at, little) {
  /** @type {Map<number, number>} */
  const tags = new Map();
  if (at + 2 > block.length) return tags;
  const data = view(block);
  const count = data.getUint16(at, little);
  for (let place = at + 2; place < Math.min(at + 2 + 12 * count, block.length - 11); place += 12) {
    const kind = data.getUint16(place + 2, little);
    if (data.getUint32(place + 4, little) !== 1 || (kind !== 3 && kind !== 4)) continue;
    tags.set(data.getUint16(place, little), kind === 3 ? data.getUint16(place + 8, little) : data.getUint32(place + 8, little));
  }
  return tags;
}

/** @param {Uint8Array} block */
export function hasThumbnail(block) {
  const first = firstDirectory(block);
  return first !== null && first.data.getUint32(first.link, first.little) !== 0;
}

/**
 * The block whose first directory leads to no second one, which is the thumbnail's. A thumbnail that ends the block is cut off; one in its
 * middle only loses what leads to it, since a maker's note may count its places from the block's start.
 * @template {Uint8Array} T
 * @param {T} block
 * @returns {T}
 */
export function withoutThumbnail(block) {
  const first = firstDirectory(block);
  const second = first?.data.getUint32(first.link, first.little);
  if (!first || !second) return block;
  const cut = /** @type {T} */ (block.slice());
  view(cut).setUint32(first.link, 0);
  const tags = wholeNumbers(block, first.start + second, first.little);
  const [at, length] = [tags.get(JPEG_AT) ?? 0, tags.get(JPEG_LENGTH) ?? 0];
  const ends = at && length && first.start + at + length >= block.length - 1 && first.start + at > first.link + 4;
  return ends ? /** @type {T} */ (cut.subarray(0, first.start + at)) : cut;
}
