/**
 * JPEG: all marker segments that say something of the picture, and whatever follows its end (a gain map, a motion photo's video), spliced
 * from the original around the new pixels. The index of further pictures (CIPA DC-007) counts places from itself and is corrected.
 */

import { joined, startsWith, view } from "./bytes.js";
import * as exif from "./exif.js";
import * as xmp from "./xmp.js";

/** @typedef {{marker: number, content: Uint8Array}} Segment */
/**
 * `end`: where the first picture ends, 0 for nowhere; `mpfAt`: where the index of further pictures stands, 0 for none; `coding`: the
 * segments that tell how the pixels are coded, up to the first scan's, which ends at `scanAt`.
 * @typedef {{segments: Segment[], coding: Segment[], end: number, mpfAt: number, scanAt: number}} Parts
 */

const [APP0, APP1, APP2, APP11, APP14, COM] = [0xe0, 0xe1, 0xe2, 0xeb, 0xee, 0xfe];
const [SOS, EOI, DQT] = [0xda, 0xd9, 0xdb];
const XMP_HEADER = "http://ns.adobe.com/xap/1.0/\0";
const MP_ENTRIES = 0xb002;

/**
 * @param {Uint8Array} data
 * @param {boolean} [whole] whether to look for the picture's end behind its scans
 * @returns {Parts}
 */
export function parts(data, whole = true) {
  /** @type {Parts} */
  const found = { segments: [], coding: [], end: 0, mpfAt: 0, scanAt: 0 };
  let at = 2;
  let scanning = false;
  while (at + 2 <= data.length) {
    at = nextMarker(data, at, scanning);
    if (at < 0) break;
    const marker = data[at - 1];
    scanning = false;
    if (marker === EOI) {
      found.end = at;
      break;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;
    const length = at + 2 <= data.length ? (data[at] << 8) | data[at + 1] : 0;
    if (length < 2 || at + length > data.length) break;
    const content = data.subarray(at + 2, at + length);
    if ((marker >= APP0 && marker <= 0xef) || marker === COM) {
      found.segments.push({ marker, content });
      if (marker === APP2 && startsWith(content, "MPF\0")) found.mpfAt ||= at + 6;
    } else if (!found.scanAt) {
      found.coding.push({ marker, content });
    }
    at += length;
    if (marker === SOS) {
      found.scanAt ||= at;
      if (!whole) break;
      scanning = true;
    }
  }
  return found;
}

/** The place behind the next marker, −1 for none. @param {Uint8Array} data @param {number} at @param {boolean} scanning */
function nextMarker(data, at, scanning) {
  for (let place = data.indexOf(0xff, at); place >= 0 && place + 1 < data.length; place = data.indexOf(0xff, place + 1)) {
    const code = data[place + 1];
    if (code !== 0 && code !== 0xff && !(scanning && code >= 0xd0 && code <= 0xd7)) return place + 2;
  }
  return -1;
}

/** @param {Segment} segment */
function packed({ marker, content }) {
  const head = new Uint8Array(4);
  head[0] = 0xff;
  head[1] = marker;
  view(head).setUint16(2, content.length + 2);
  return joined([head, content]);
}

/**
 * The original with the pixels of `coded`, a JPEG that libvips wrote; `lost` is told what does not go along. Raises an Error for a file
 * without its end.
 * @param {Uint8Array} original
 * @param {Uint8Array} coded
 * @param {string[]} lost
 * @returns {Uint8Array[]} what follows one another in the new file
 */
export function carried(original, coded, lost) {
  const was = parts(original);
  if (!was.end) throw new Error("is a JPEG without its end; it is cut off, copy it anew");
  const own = parts(coded, false);
  let segments = adjusted(was.segments, lost);
  const adobe = own.segments.filter(({ marker }) => marker === APP14); // how CMYK is coded
  if (adobe.length) segments = [...segments.filter(({ marker }) => marker !== APP14), ...adobe];
  const head = joined([Uint8Array.of(0xff, 0xd8), ...segments.map(packed)]);
  const coding = joined(own.coding.map(packed));
  const pixels = coded.subarray(own.scanAt);
  const { mpfAt } = parts(head, false);
  if (mpfAt) repair(head, mpfAt, was, head.length + coding.length + pixels.length);
  return [head, coding, pixels, original.subarray(was.end)];
}

/** @param {Segment[]} segments @param {string[]} lost @returns {Segment[]} */
function adjusted(segments, lost) {
  const voided = voidBoxes(segments);
  const credentials = [...voided.values()].includes(xmp.C2PA);
  return segments.flatMap((segment) => {
    const { marker, content } = segment;
    const why = voided.get(segment) ?? (marker === APP0 && startsWith(content, "JFXX\0") ? exif.THUMBNAIL : undefined);
    if (why) {
      lost.push(why);
      return [];
    }
    if (marker === APP0 && startsWith(content, "JFIF\0") && content.length > 14 && (content[12] || content[13])) {
      lost.push(exif.THUMBNAIL);
      return [{ marker, content: joined([content.subarray(0, 12), new Uint8Array(2)]) }];
    }
    if (marker === APP1 && startsWith(content, exif.HEADER) && exif.hasThumbnail(content)) {
      lost.push(exif.THUMBNAIL);
      return [{ marker, content: exif.withoutThumbnail(content) }];
    }
    if (marker === APP1 && startsWith(content, XMP_HEADER) && credentials) return [{ marker, content: xmp.withoutProvenance(content) }];
    if (marker === APP14 && startsWith(content, "Adobe") && content.length >= 12) {
      return [{ marker, content: joined([content.subarray(0, 11), Uint8Array.of(1), content.subarray(12)]) }]; // the new pixels are YCbCr
    }
    return [segment];
  });
}

/**
 * The APP11 segments with boxes (ISO/IEC 18477-3, B.2) that do not hold for changed pixels, with their names. A box may be spread over
 * several segments that bear its number.
 * @param {Segment[]} segments
 */
function voidBoxes(segments) {
  /** @param {Uint8Array} content */
  const nameOf = (content) => content.subarray(2, 4).join() + content.subarray(12, 16).join();
  const boxes = segments.filter(({ marker, content }) => marker === APP11 && startsWith(content, "JP") && content.length >= 16);
  /** @type {Map<string, string>} */
  const kinds = new Map();
  for (const { content } of boxes) {
    if (!startsWith(content, "jumb", 12)) kinds.set(nameOf(content), "its JPEG XT layer, which refines the picture as it was");
    else if (includes(content.subarray(16, 216), "c2pa")) kinds.set(nameOf(content), xmp.C2PA);
  }
  return new Map(
    boxes.flatMap((box) => (kinds.has(nameOf(box.content)) ? [[box, /** @type {string} */ (kinds.get(nameOf(box.content)))]] : [])),
  );
}

/** @param {Uint8Array} bytes @param {string} text */
function includes(bytes, text) {
  for (let at = 0; at + text.length <= bytes.length; at += 1) if (startsWith(bytes, text, at)) return true;
  return false;
}

/**
 * Let the head's index of pictures, at `at`, tell where they are now: the first ends at `end`, the others follow as they did.
 * @param {Uint8Array} head
 * @param {number} at
 * @param {Parts} was
 * @param {number} end
 */
function repair(head, at, was, end) {
  const little = startsWith(head, "II", at);
  if ((!little && !startsWith(head, "MM", at)) || at + 8 > head.length) return;
  const data = view(head);
  const directory = at + data.getUint32(at + 4, little);
  if (directory + 2 > head.length) return;
  const tags = data.getUint16(directory, little);
  for (let entry = directory + 2; entry < Math.min(directory + 2 + 12 * tags, head.length - 11); entry += 12) {
    const [count, offset] = [data.getUint32(entry + 4, little), data.getUint32(entry + 8, little)];
    if (data.getUint16(entry, little) !== MP_ENTRIES || at + offset + count > head.length) continue;
    const moved = end - at - (was.end - was.mpfAt);
    for (let place = at + offset; place + 16 <= at + offset + count; place += 16) {
      const start = data.getUint32(place + 8, little);
      if (start === 0) data.setUint32(place + 4, Math.max(0, data.getUint32(place + 4, little) + end - was.end), little);
      else if (was.mpfAt + start >= was.end) data.setUint32(place + 8, start + moved, little);
    }
    return;
  }
}

// The tables of the JPEG standard, annex K (ITU-T T.81), in the file's zigzag order: luminance, chrominance.
const LUMINANCE = hex(
  "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763",
);
const CHROMINANCE = [...hex("1112121815182f1a1a2f634238426363"), ...Array(48).fill(0x63)];

/** @param {string} digits */
function hex(digits) {
  return Array.from({ length: digits.length / 2 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/**
 * The lowest quality of libjpeg's scale, 1–100, whose quantisation is nowhere coarser than the file's; 0 for no JPEG.
 * @param {Uint8Array} data
 */
export function quality(data) {
  /** @type {Map<number, number[]>} */
  const tables = new Map();
  for (const { marker, content } of parts(data, false).coding) {
    if (marker !== DQT) continue;
    for (let at = 0; at < content.length;) {
      const wide = content[at] >> 4 ? 2 : 1;
      if (at + 1 + 64 * wide > content.length) break;
      const numbers = Array.from({ length: 64 }, (_, index) =>
        wide === 2 ? (content[at + 1 + 2 * index] << 8) | content[at + 2 + 2 * index] : content[at + 1 + index],
      );
      tables.set(content[at] & 15, numbers);
      at += 1 + 64 * wide;
    }
  }
  if (!tables.size) return 0;
  /** @param {number} wanted */
  const fits = (wanted) => {
    const scale = wanted < 50 ? Math.floor(5000 / wanted) : 200 - 2 * wanted; // libjpeg's
    return [...tables].every(([number, table]) =>
      table.every((own, at) => Math.min(255, Math.max(1, Math.floor(((number ? CHROMINANCE : LUMINANCE)[at] * scale + 50) / 100))) <= own),
    );
  };
  for (let wanted = 1; wanted < 100; wanted += 1) if (fits(wanted)) return wanted;
  return 100;
}
