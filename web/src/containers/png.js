/** PNG: chunks (PNG Specification, third edition). Texts, times, colour descriptions and unknown chunks go along byte for byte. */

import { ascii, crc32, joined, latin1, startsWith, view } from "./bytes.js";
import * as exif from "./exif.js";
import * as xmp from "./xmp.js";

/** @typedef {{name: string, content: Uint8Array, end: number}} Chunk */
/** What IHDR says. @typedef {{bits: number, colour: number}} Header */

const SIGNATURE = "\x89PNG\r\n\x1a\n";
// Chunks that hold for the new pixels too, although the last letter of some says that not every change of pixels leaves them right.
const LASTING = new Set(
  "cHRM gAMA iCCP sRGB cICP mDCV mDCv cLLI cLLi sPLT pCAL sCAL oFFs sTER pHYs tIME tEXt zTXt iTXt eXIf bKGD".split(" "),
);
const CODING = new Set("IHDR PLTE IDAT IEND tRNS acTL fcTL fdAT".split(" "));
const PALETTE = 3;

/** @param {Uint8Array} data @returns {Chunk[]} */
export function chunks(data) {
  /** @type {Chunk[]} */
  const found = [];
  for (let at = 8; at + 12 <= data.length;) {
    const length = view(data).getUint32(at);
    const end = at + 12 + length;
    if (end > data.length) break;
    found.push({ name: latin1(data.subarray(at + 4, at + 8)), content: data.subarray(at + 8, at + 8 + length), end });
    at = end;
    if (found[found.length - 1].name === "IEND") break;
  }
  return found;
}

/** Whether the file holds an animation. @param {Uint8Array} data */
export function isAnimated(data) {
  for (const { name } of chunks(data)) {
    if (name === "acTL") return true;
    if (name === "IDAT") return false;
  }
  return false;
}

/** @param {Uint8Array} data @returns {Header} */
export function header(data) {
  return { bits: data[24] ?? 8, colour: data[25] ?? 2 };
}

/** @param {string} name @param {Uint8Array} content */
function packed(name, content) {
  const typed = joined([ascii(name), content]);
  const frame = new Uint8Array(4);
  view(frame).setUint32(0, content.length);
  const sum = new Uint8Array(4);
  view(sum).setUint32(0, crc32(typed));
  return joined([frame, typed, sum]);
}

/**
 * The original with the pixels of `coded`, a PNG that libvips wrote; `lost` is told what does not go along.
 * @param {Uint8Array} original
 * @param {Uint8Array} coded
 * @param {string[]} lost
 * @returns {Uint8Array[]}
 */
export function carried(original, coded, lost) {
  const every = chunks(original);
  const [was, now] = [header(original), header(coded)];
  const credentials = every.some(({ name }) => name === "caBX");
  const palette = every.find(({ name }) => name === "PLTE")?.content ?? new Uint8Array();
  const first = every.findIndex(({ name }) => name === "IDAT");
  /** @param {Chunk[]} part */
  const kept = (part) =>
    part
      .filter(({ name }) => name === "tRNS" || (name === "PLTE" && was.colour !== PALETTE) || !CODING.has(name))
      .flatMap((chunk) => adjusted(chunk, was, now, palette, credentials, lost));
  const own = chunks(coded);
  const ihdr = own.find(({ name }) => name === "IHDR");
  const pixels = own.filter(({ name }) => name === "IDAT");
  return [
    ascii(SIGNATURE),
    packed("IHDR", ihdr?.content ?? new Uint8Array()),
    ...kept(every.slice(0, first)),
    ...pixels.map(({ name, content }) => packed(name, content)),
    ...kept(every.slice(first)),
    packed("IEND", new Uint8Array()),
    original.subarray(every[every.length - 1].end),
  ];
}

/**
 * The chunk as it goes along, or none; `lost` is told why.
 * @param {Chunk} chunk
 * @param {Header} was
 * @param {Header} now
 * @param {Uint8Array} palette
 * @param {boolean} credentials
 * @param {string[]} lost
 * @returns {Uint8Array[]}
 */
function adjusted({ name, content }, was, now, palette, credentials, lost) {
  const colours = [2, 6].includes(now.colour);
  switch (name) {
    case "tRNS":
      if (was.colour !== PALETTE) lost.push("the colour that stood for transparency: the result has an alpha channel");
      return [];
    case "PLTE":
      if (colours) return [packed(name, content)];
      lost.push("its suggested palette");
      return [];
    case "caBX":
      lost.push(xmp.C2PA);
      return [];
    case "sBIT": {
      const bits = was.colour === PALETTE ? 8 : was.bits;
      const samples = { 0: 1, 4: 2, 6: 4 }[now.colour] ?? 3;
      if (content.every((value) => value === bits) && content.length === samples) return [packed(name, content)];
      lost.push("how many bits of its values counted (sBIT): now all do");
      return [];
    }
    case "eXIf":
      if (exif.hasThumbnail(content)) lost.push(exif.THUMBNAIL);
      return [packed(name, exif.withoutThumbnail(content))];
    case "bKGD": {
      const colour = background(content, was, now, palette);
      if (!colour) lost.push("its background colour");
      return colour ? [packed(name, colour)] : [];
    }
    default:
  }
  if (name === "iTXt" && credentials && startsWith(content, "XML:com.adobe.xmp\0")) return [packed(name, xmp.withoutProvenance(content))];
  if (LASTING.has(name) || name.charCodeAt(3) & 0x20) return [packed(name, content)];
  lost.push(`its chunk ${name}, which may hold for the pixels as they were only`);
  return [];
}

/**
 * The background as the new pixels are stored: 16 bits a channel; null when it cannot be told.
 * @param {Uint8Array} content
 * @param {Header} was
 * @param {Header} now
 * @param {Uint8Array} palette
 */
function background(content, was, now, palette) {
  /** @type {number[]} */
  let values = [];
  if (was.colour === PALETTE) values = content.length ? [...palette.subarray(3 * content[0], 3 * content[0] + 3)] : [];
  else {
    const data = view(content);
    const [to, from] = [2 ** now.bits - 1, 2 ** was.bits - 1];
    values = Array.from({ length: content.length >> 1 }, (_, at) => Math.floor((data.getUint16(2 * at) * to) / from));
  }
  const grey = [0, 4].includes(now.colour);
  if (grey && values.length === 3 && new Set(values).size === 1) values = values.slice(0, 1);
  if (values.length !== (grey ? 1 : 3)) return null;
  const result = new Uint8Array(2 * values.length);
  values.forEach((value, at) => view(result).setUint16(2 * at, value));
  return result;
}
