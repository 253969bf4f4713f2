/**
 * A ZIP of files as they are, without packing: photos are packed already (PKWARE's APPNOTE; names in UTF-8, bit 11). Of at most four
 * gigabytes and 65,535 files, which is what the first form of the format reaches.
 */

import { crc32, joined, view } from "./containers/bytes.js";

const [LOCAL, CENTRAL, END] = [0x04034b50, 0x02014b50, 0x06054b50];
const PART = 1 << 22;
const MOST = 2 ** 32 - 1;

/**
 * The ZIP. Raises an Error beyond what the format reaches.
 * @param {{name: string, blob: Blob, time?: number}[]} files `time` in milliseconds since 1970
 * @returns {Promise<Blob>}
 */
export async function zipped(files) {
  /** @type {BlobPart[]} */
  const parts = [];
  const directory = [];
  let at = 0;
  for (const { name, blob, time } of files) {
    const title = new TextEncoder().encode(name);
    const sum = await checksum(blob);
    const stamp = dosTime(time ?? Date.now());
    const fields = /** @type {[number, number][]} */ ([
      [2, 20],
      [2, 0x800],
      [2, 0],
      [2, stamp.time],
      [2, stamp.day],
      [4, sum],
      [4, blob.size],
      [4, blob.size],
      [2, title.length],
      [2, 0],
    ]);
    const head = joined([record(LOCAL, fields), title]);
    parts.push(head, blob);
    directory.push(joined([record(CENTRAL, [[2, 20], ...fields, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), title]));
    at += head.length + blob.size;
  }
  const size = directory.reduce((sum, each) => sum + each.length, 0);
  if (at + size > MOST || files.length > 65535)
    throw new Error("more than a ZIP holds (4 GB or 65,535 files); download them one by one, or clear some");
  const count = files.length;
  parts.push(
    ...directory,
    record(END, [
      [2, 0],
      [2, 0],
      [2, count],
      [2, count],
      [4, size],
      [4, at],
      [2, 0],
    ]),
  );
  return new Blob(parts, { type: "application/zip" });
}

/** @param {Blob} blob */
async function checksum(blob) {
  let sum = 0;
  for (let at = 0; at < blob.size; at += PART) sum = crc32(new Uint8Array(await blob.slice(at, at + PART).arrayBuffer()), sum);
  return sum;
}

/** @param {number} mark @param {[number, number][]} fields their bytes and values */
function record(mark, fields) {
  const bytes = new Uint8Array(4 + fields.reduce((sum, [length]) => sum + length, 0));
  const data = view(bytes);
  data.setUint32(0, mark, true);
  let at = 4;
  for (const [length, value] of fields) {
    if (length === 2) data.setUint16(at, value, true);
    else data.setUint32(at, value, true);
    at += length;
  }
  return bytes;
}

/** @param {number} time */
function dosTime(time) {
  const date = new Date(time);
  const year = Math.min(2107, Math.max(1980, date.getFullYear()));
  return {
    time: (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1),
    day: ((year - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate(),
  };
}
