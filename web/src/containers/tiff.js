/**
 * TIFF (Adobe, TIFF 6.0): the tags of a picture, and the directories of EXIF and GPS that they lead to. libvips writes the pixels; behind
 * them a new directory is appended: the tags that tell how the new pixels are stored, and all others as the original has them, private
 * ones too.
 */

import { latin1, startsWith, view } from "./bytes.js";

/**
 * A directory's entry, with its values' bytes as they stand in the file.
 * @typedef {{tag: number, kind: number, count: number, value: Uint8Array | null}} Entry
 */
/** What of a TIFF decides how it is read and written. @typedef {{
 *   big: boolean, pages: number, compression: number, photometric: number, predictor: number, top: number | undefined, extra: number[],
 *   nodata: number | undefined, sparse: boolean, preview: boolean, format: number, bits: number}} Packing */

/** @type {Record<number, number>} */
const SIZES = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 }; // bytes of a value, by type
const [SUBFILE, WIDTH, BITS, COMPRESSION, PHOTOMETRIC, OFFSETS, SAMPLES, LENGTHS] = [254, 256, 258, 259, 262, 273, 277, 279];
const [PREDICTOR, MAX_SAMPLE, COLOUR_MAP, TILE_LENGTHS, SUB_IFDS, EXTRA, FORMAT, NODATA] = [317, 281, 320, 325, 330, 338, 339, 42113];
const [IPTC, EXIF, GPS, MAKER_NOTE, LAYERS, INTEROP, REFERENCE, IMAGEJ] = [33723, 34665, 34853, 37500, 37724, 40965, 532, 50839];
/** How pixels are stored: said by the file that holds the new ones. */
// prettier-ignore
const STRUCTURE = new Set([
  WIDTH, 257, BITS, COMPRESSION, PHOTOMETRIC, 266, OFFSETS, SAMPLES, 278, LENGTHS, 284, 288, 289, 292, 293, PREDICTOR, 322, 323, 324,
  TILE_LENGTHS, EXTRA, FORMAT, 347, 512, 513, 514, 515, 516, 517, 518, 519, 520, 521, 529, 530, 531, REFERENCE,
]);
/** Tags that speak of single values, by what they say. @type {Record<number, string>} */
const OF_VALUES = {
  280: "its smallest value",
  281: "its largest value",
  291: "its curve of greys",
  301: "its transfer curve",
  340: "its smallest value",
  341: "its largest value",
};
const [WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED, YCBCR] = [0, 1, 2, 5, 6];
export const READ_AS_COLOURS = [WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, 3, SEPARATED, YCBCR];
const DEEPEST = 4; // directories within directories
const LEFTOVER = 64; // bytes at the end that nothing leads to, which writers leave there

class Reader {
  /** Raises an Error for what is no classic TIFF. @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
    this.little = startsWith(data, "II");
    this.view = view(data);
    this.reach = 8;
    if (data.length < 8 || this.view.getUint16(2, this.little) !== 42) throw new Error("no TIFF");
  }

  /** Where the pages' directories are. */
  chain() {
    /** @type {number[]} */
    const found = [];
    for (
      let at = this.view.getUint32(4, this.little);
      at;
      at = this.view.getUint32(at + 2 + 12 * this.view.getUint16(at, this.little), this.little)
    ) {
      if (found.includes(at)) throw new Error("directories in a circle");
      found.push(at);
    }
    return found;
  }

  /** The entries of the directory at `at` as they stand; the value is null where it lies outside. @param {number} at @returns {Entry[]} */
  listed(at) {
    const count = this.view.getUint16(at, this.little);
    this.reach = Math.max(this.reach, at + 6 + 12 * count);
    return Array.from({ length: count }, (_, index) => {
      const place = at + 2 + 12 * index;
      const [tag, kind] = [this.view.getUint16(place, this.little), this.view.getUint16(place + 2, this.little)];
      const number = this.view.getUint32(place + 4, this.little);
      const length = number * (SIZES[kind] ?? 0);
      const start = length <= 4 ? place + 8 : this.view.getUint32(place + 8, this.little);
      const inside = start + length <= this.data.length;
      if (inside) this.reach = Math.max(this.reach, start + length);
      return { tag, kind, count: number, value: inside ? this.data.subarray(start, start + length) : null };
    });
  }

  /** An entry's values as whole numbers; none for other types. @param {Entry | undefined} entry @returns {number[]} */
  numbers(entry) {
    if (!entry?.value || ![1, 3, 4, 13].includes(entry.kind)) return [];
    const [data, size] = [view(entry.value), SIZES[entry.kind]];
    return Array.from({ length: entry.count }, (_, at) =>
      size === 1 ? data.getUint8(at) : size === 2 ? data.getUint16(2 * at, this.little) : data.getUint32(4 * at, this.little),
    );
  }
}

/** Of several entries with the same tag the first counts. @param {Entry[]} entries */
function byTag(entries) {
  return new Map([...entries].reverse().map((entry) => [entry.tag, entry]));
}

/** How a file is packed. Raises an Error for a file whose directories cannot be followed. @param {Uint8Array} data @returns {Packing} */
export function packing(data) {
  const big = [43, 43 << 8].includes((data[3] << 8) | data[2]);
  const plain = { big, pages: 1, compression: 1, photometric: 1, predictor: 1, top: undefined, extra: [], nodata: undefined };
  if (big) return { ...plain, sparse: false, preview: false, format: 1, bits: 8 };
  const reader = new Reader(data);
  const pages = reader.chain();
  const tags = byTag(reader.listed(pages[0]));
  /** @param {number} tag */
  const number = (tag) => reader.numbers(tags.get(tag))[0];
  const nodata = parseFloat(latin1(tags.get(NODATA)?.value ?? new Uint8Array()));
  const isNan = /^\s*-?nan/i.test(latin1(tags.get(NODATA)?.value ?? new Uint8Array()));
  const width = number(WIDTH) ?? 0;
  const inner = reader.numbers(tags.get(SUB_IFDS)).map((at) => reader.numbers(byTag(reader.listed(at)).get(WIDTH))[0] ?? 0);
  const tops = reader.numbers(tags.get(MAX_SAMPLE));
  const full = pages.findIndex((at, index) => index > 0 && (reader.numbers(byTag(reader.listed(at)).get(SUBFILE))[0] ?? 0) & 5);
  return {
    big,
    pages: full < 0 ? pages.length : full,
    compression: number(COMPRESSION) ?? 1,
    photometric: number(PHOTOMETRIC) ?? 1,
    predictor: number(PREDICTOR) ?? 1,
    top: tops.length ? Math.max(...tops) : undefined,
    extra: reader.numbers(tags.get(EXTRA)),
    nodata: isNan ? NaN : Number.isNaN(nodata) ? undefined : nodata,
    sparse: [LENGTHS, TILE_LENGTHS].some((tag) => reader.numbers(tags.get(tag)).includes(0)),
    preview: inner.some((each) => each > width),
    format: number(FORMAT) ?? 1,
    bits: number(BITS) ?? 1,
  };
}

class Appender {
  /** @param {Uint8Array} data a little-endian TIFF */
  constructor(data) {
    this.parts = [data];
    this.length = data.length;
  }

  /** Append bytes; returns where they are. @param {Uint8Array} content */
  add(content) {
    const pad = (8 - (this.length % 8)) % 8;
    const at = this.length + pad;
    this.parts.push(new Uint8Array(pad), content);
    this.length = at + content.length;
    return at;
  }

  /** Append a directory; returns where it is. @param {Entry[]} entries */
  directory(entries) {
    const placed = entries.map((entry) => ({ ...entry, place: entry.value && entry.value.length > 4 ? this.add(entry.value) : 0 }));
    const sorted = placed.sort((one, other) => one.tag - other.tag);
    const bytes = new Uint8Array(2 + 12 * sorted.length + 4);
    const data = view(bytes);
    data.setUint16(0, sorted.length, true);
    sorted.forEach(({ tag, kind, count, value, place }, index) => {
      const at = 2 + 12 * index;
      data.setUint16(at, tag, true);
      data.setUint16(at + 2, kind, true);
      data.setUint32(at + 4, count, true);
      if (place) data.setUint32(at + 8, place, true);
      else bytes.set(value ?? [], at + 8);
    });
    return this.add(bytes);
  }
}

/**
 * The original with the pixels of `coded`, a little-endian TIFF that libvips wrote; `lost` is told what does not go along. Raises an
 * Error for a file whose directories cannot be followed.
 * @param {Uint8Array} original
 * @param {Uint8Array} coded
 * @param {string[]} lost
 * @returns {Uint8Array[]}
 */
export function carried(original, coded, lost) {
  const [reader, own] = [new Reader(original), new Reader(coded)];
  const out = new Appender(coded.slice());
  const places = reader.chain();
  const storage = byTag(own.listed(own.chain()[0]).filter(({ tag }) => STRUCTURE.has(tag)));
  const entries = page(reader, own, out, reader.listed(places[0]), storage, lost);
  const head = out.parts[0];
  view(head).setUint32(4, out.directory(entries), true);
  if (places.length > 1) lost.push("its smaller copies (sub-directories)");
  if (follows(original, reader, places)) lost.push("what follows its picture");
  if (latin1(original.subarray(0, 64)).includes("GDAL_STRUCTURAL_METADATA")) {
    lost.push("its order for reading in parts from afar (cloud-optimized GeoTIFF)");
  }
  return out.parts;
}

/**
 * @param {Reader} reader
 * @param {Reader} own
 * @param {Appender} out
 * @param {Entry[]} listed
 * @param {Map<number, Entry>} storage
 * @param {string[]} lost
 */
function page(reader, own, out, listed, storage, lost) {
  const tags = byTag(listed);
  const entries = new Map(storage);
  const was = reader.numbers(tags.get(PHOTOMETRIC))[0] ?? RGB;
  const now = own.numbers(storage.get(PHOTOMETRIC))[0] ?? RGB;
  const jpeg = own.numbers(storage.get(COMPRESSION))[0] === 7;
  if ([BLACK_IS_ZERO, RGB, SEPARATED].includes(was) && now !== was && !jpeg) {
    entries.set(PHOTOMETRIC, { tag: PHOTOMETRIC, kind: 3, count: 1, value: Uint8Array.of(was, 0) });
  }
  if (tags.has(COLOUR_MAP) && now !== was) lost.push("its palette: the result has full colours");
  if (was === WHITE_IS_ZERO) lost.push("that its values count from white: in the result zero is black");
  const extra = tags.get(EXTRA);
  if (extra && (reader.numbers(tags.get(SAMPLES))[0] ?? 1) === (own.numbers(storage.get(SAMPLES))[0] ?? 1))
    entries.set(EXTRA, copied(reader, extra));
  const reference = tags.get(REFERENCE);
  if (reference && was === now && [BLACK_IS_ZERO, RGB].includes(now)) entries.set(REFERENCE, copied(reader, reference));
  const bits = reader.numbers(tags.get(BITS))[0] ?? 1;
  const scaled = was === WHITE_IS_ZERO || (bits < 8 && bits !== (own.numbers(storage.get(BITS))[0] ?? 1));
  const others = listed.flatMap((entry) => {
    if (STRUCTURE.has(entry.tag) || entry.tag === COLOUR_MAP) return [];
    if (OF_VALUES[entry.tag] && scaled) lost.push(`${OF_VALUES[entry.tag]}: its values are others now`);
    else if (entry.tag === LAYERS) lost.push("its Photoshop layers, which hold the picture as it was");
    else if (entry.tag === SUB_IFDS) lost.push("its smaller copies (sub-directories)");
    else return brought(reader, out, entry, lost, 0);
    return [];
  });
  return [...entries.values(), ...others];
}

/**
 * The entry with its values in the new file; none when it cannot go along, of which `lost` is told.
 * @param {Reader} reader
 * @param {Appender} out
 * @param {Entry} entry
 * @param {string[]} lost
 * @param {number} depth
 * @returns {Entry[]}
 */
function brought(reader, out, entry, lost, depth) {
  const { tag, kind, count, value } = entry;
  if (!value) {
    lost.push(`its tag ${tag}, whose values lie outside of the file`);
    return [];
  }
  if ([EXIF, GPS, INTEROP].includes(tag)) {
    const places = reader.numbers(entry);
    if (places.length === 1 && depth < DEEPEST && places[0] + 2 <= reader.data.length) {
      const inner = reader.listed(places[0]).flatMap((each) => brought(reader, out, each, lost, depth + 1));
      const pointer = new Uint8Array(4);
      view(pointer).setUint32(0, out.directory(inner), true);
      return [{ tag, kind: 4, count: 1, value: pointer }];
    }
    lost.push(`its directory ${tag}, which leads nowhere`);
    return [];
  }
  if (kind === 13 || !SIZES[kind] || !value.length) {
    if (count) lost.push(`its tag ${tag}, which leads to further directories or is of an unknown type`);
    return [];
  }
  if (tag === MAKER_NOTE) lost.push("the places that its maker's note points to: the note has moved within the file");
  if (tag === IMAGEJ && !reader.little) {
    lost.push("ImageJ's own metadata");
    return [];
  }
  return [copied(reader, entry)];
}

/** The entry with its values in little-endian order. @param {Reader} reader @param {Entry} entry @returns {Entry} */
function copied(reader, entry) {
  const size = [5, 10].includes(entry.kind) ? 4 : (SIZES[entry.kind] ?? 1);
  if (reader.little || size === 1 || entry.tag === IPTC || !entry.value) return entry;
  const value = entry.value.slice();
  for (let at = 0; at + size <= value.length; at += size) value.subarray(at, at + size).reverse();
  return { ...entry, value };
}

/**
 * Whether something stands behind all that the directories lead to.
 * @param {Uint8Array} data
 * @param {Reader} reader
 * @param {number[]} places
 */
function follows(data, reader, places) {
  let end = reader.reach;
  for (const at of places) {
    const tags = byTag(reader.listed(at));
    for (const [where, sizes] of [
      [OFFSETS, LENGTHS],
      [324, TILE_LENGTHS],
      [513, 514],
    ]) {
      const lengths = reader.numbers(tags.get(sizes));
      reader.numbers(tags.get(where)).forEach((start, index) => (end = Math.max(end, start + (lengths[index] ?? 0))));
    }
  }
  end = Math.max(end, reader.reach);
  return data.length - end > LEFTOVER && data.subarray(end).some((byte) => byte !== 0);
}
