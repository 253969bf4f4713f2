/** WebP (RFC 9649): the RIFF file's chunks. EXIF, XMP, the profile and unknown chunks of a still picture. */

import { ascii, joined, latin1, view } from "./bytes.js";
import * as exif from "./exif.js";
import * as xmp from "./xmp.js";

/** @typedef {{name: string, content: Uint8Array}} Chunk */

const PICTURE = new Set(["VP8 ", "VP8L", "ALPH", "ANMF"]);
/** @type {Record<string, number>} */
const FLAGS = { ICCP: 0x20, EXIF: 0x08, "XMP ": 0x04 };
const ALPHA = 0x10;

/** A file's chunks, and where it ends as its head tells it. @param {Uint8Array} data */
export function parts(data) {
  /** @type {Chunk[]} */
  const chunks = [];
  const end = Math.min(data.length, 8 + view(data).getUint32(4, true));
  let at = 12;
  while (at + 8 <= end) {
    const length = view(data).getUint32(at + 4, true);
    chunks.push({ name: latin1(data.subarray(at, at + 4)), content: data.subarray(at + 8, at + 8 + length) });
    at += 8 + length + (length % 2);
  }
  return { chunks, end: Math.min(at, data.length) };
}

/** @param {Uint8Array} data */
export function isAnimated(data) {
  return parts(data).chunks.some(({ name }) => name === "ANMF" || name === "ANIM");
}

/** Whether the picture is coded without loss. @param {Uint8Array} data */
export function isLossless(data) {
  return parts(data).chunks.find(({ name }) => name === "VP8L" || name === "VP8 ")?.name === "VP8L";
}

/** @param {Chunk} chunk */
function packed({ name, content }) {
  const head = joined([ascii(name), new Uint8Array(4)]);
  view(head).setUint32(4, content.length, true);
  return joined([head, content, new Uint8Array(content.length % 2)]);
}

/**
 * The original with the pixels of `coded`, a WebP that libvips wrote; `lost` is told what does not go along.
 * @param {Uint8Array} original
 * @param {Uint8Array} coded
 * @param {string[]} lost
 * @returns {Uint8Array[]}
 */
export function carried(original, coded, lost) {
  const was = parts(original);
  const now = parts(coded).chunks;
  const credentials = was.chunks.some(({ name }) => name === "C2PA");
  const at = was.chunks.findIndex(({ name }) => PICTURE.has(name));
  /** @param {Chunk[]} part */
  const kept = (part) =>
    part.flatMap((chunk) => (PICTURE.has(chunk.name) || chunk.name === "VP8X" ? [] : adjusted(chunk, credentials, lost)));
  const [before, after] = [kept(was.chunks.slice(0, at)), kept(was.chunks.slice(at))];
  const picture = now.filter(({ name }) => PICTURE.has(name));
  const chunks = [...extended(now, picture, [...before, ...after]), ...before, ...picture, ...after].map(packed);
  const head = joined([ascii("RIFF\0\0\0\0WEBP")]);
  view(head).setUint32(
    4,
    chunks.reduce((sum, chunk) => sum + chunk.length, 4),
    true,
  );
  return [head, ...chunks, original.subarray(was.end)];
}

/** @param {Chunk} chunk @param {boolean} credentials @param {string[]} lost @returns {Chunk[]} */
function adjusted({ name, content }, credentials, lost) {
  if (name === "C2PA") {
    lost.push(xmp.C2PA);
    return [];
  }
  if (name === "EXIF" && exif.hasThumbnail(content)) {
    lost.push(exif.THUMBNAIL);
    return [{ name, content: exif.withoutThumbnail(content) }];
  }
  return [{ name, content: name === "XMP " && credentials ? xmp.withoutProvenance(content) : content }];
}

/**
 * The chunk that says what else there is; none when nothing else is.
 * @param {Chunk[]} now
 * @param {Chunk[]} picture
 * @param {Chunk[]} extras
 * @returns {Chunk[]}
 */
function extended(now, picture, extras) {
  const own = now.find(({ name }) => name === "VP8X");
  if (!extras.length && !own) return [];
  const content = new Uint8Array(10);
  const coded = picture[picture.length - 1].content;
  const lossless = picture[picture.length - 1].name === "VP8L";
  const packedSize = lossless ? view(coded).getUint32(1, true) : 0;
  if (own) content.set(own.content.subarray(4, 10), 4);
  else {
    const sides = lossless
      ? [packedSize & 0x3fff, (packedSize >> 14) & 0x3fff]
      : [(view(coded).getUint16(6, true) & 0x3fff) - 1, (view(coded).getUint16(8, true) & 0x3fff) - 1];
    sides.forEach((side, index) => content.set([side & 255, side >> 8, 0], 4 + 3 * index));
  }
  const alpha = own ? own.content[0] & ALPHA : (packedSize >>> 28) & 1 ? ALPHA : 0;
  content[0] = extras.reduce((flags, { name }) => flags | (FLAGS[name] ?? 0), alpha);
  return [{ name: "VP8X", content }];
}
