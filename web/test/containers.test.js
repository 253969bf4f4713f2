import assert from "node:assert/strict";
import { test } from "node:test";
import { ascii, crc32, joined, latin1, view } from "../src/containers/bytes.js";
import { hasThumbnail, withoutThumbnail } from "../src/containers/exif.js";
import * as jpeg from "../src/containers/jpeg.js";
import * as png from "../src/containers/png.js";
import * as tiff from "../src/containers/tiff.js";
import * as webp from "../src/containers/webp.js";
import { sniff } from "../src/containers/sniff.js";

/** @param {number} marker @param {Uint8Array} content */
function segment(marker, content) {
  return joined([Uint8Array.of(0xff, marker, (content.length + 2) >> 8, (content.length + 2) & 255), content]);
}

/** @param {Uint8Array[]} segments @param {string} scan @param {string} [behind] */
function jpegOf(segments, scan, behind = "") {
  return joined([
    Uint8Array.of(0xff, 0xd8),
    ...segments,
    segment(0xda, ascii("head")),
    ascii(scan),
    Uint8Array.of(0xff, 0xd9),
    ascii(behind),
  ]);
}

/** @param {number[]} next where a second directory is */
function exifBlock(next) {
  return joined([
    ascii("Exif\0\0II*\0"),
    Uint8Array.of(8, 0, 0, 0, 1, 0),
    Uint8Array.of(0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0),
    Uint8Array.from(next),
  ]);
}

test("a JPEG keeps its segments and what follows it, around the new pixels", () => {
  const comment = segment(0xfe, ascii("hello"));
  const unknown = segment(0xe7, ascii("unknown"));
  const original = jpegOf([segment(0xe1, exifBlock([0, 0, 0, 0])), comment, unknown], "old", "a video");
  const coded = jpegOf([segment(0xe0, ascii("JFIF\0theirs")), segment(0xdb, ascii("table"))], "new");
  /** @type {string[]} */
  const lost = [];
  const result = latin1(joined(jpeg.carried(original, coded, lost)));
  assert.deepEqual(lost, []);
  for (const part of ["hello", "unknown", "Exif", "table", "new", "a video"]) assert.ok(result.includes(part), part);
  for (const part of ["old", "theirs"]) assert.ok(!result.includes(part), part);
});

test("a JPEG's thumbnails and credentials are taken out, and named", () => {
  const box = joined([ascii("JP\0\x01\0\0\0\x01\0\0\0\x20jumb"), ascii("....c2pa....")]);
  const pointing = exifBlock([26, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  /** @type {string[]} */
  const lost = [];
  const original = jpegOf([segment(0xe1, pointing), segment(0xeb, box)], "old");
  const result = latin1(joined(jpeg.carried(original, jpegOf([], "new"), lost)));
  assert.equal(lost.length, 2);
  assert.match(lost.join(), /thumbnail.*C2PA/s);
  assert.ok(!result.includes("c2pa"));
});

test("a JPEG without its end is refused", () => {
  assert.throws(() => jpeg.carried(jpegOf([], "old").subarray(0, -2), jpegOf([], "new"), []), /without its end/);
});

test("markers inside of a scan end nothing", () => {
  const scan = "a\xff\0b\xff\xd3c";
  assert.equal(jpeg.parts(jpegOf([], scan)).end, jpegOf([], scan).length);
});

test("the index of further pictures follows the picture's new length", () => {
  const entries = new Uint8Array(32);
  view(entries).setUint32(4, 100, true);
  view(entries).setUint32(24, 1000, true);
  const index = joined([
    ascii("MPF\0II*\0"),
    Uint8Array.of(8, 0, 0, 0, 1, 0, 0x02, 0xb0, 7, 0, 32, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0),
    entries,
  ]);
  const [original, coded] = [jpegOf([segment(0xe2, index)], "old", "x".repeat(2000)), jpegOf([], "much longer")];
  const result = joined(jpeg.carried(original, coded, []));
  const [was, now] = [jpeg.parts(original), jpeg.parts(result)];
  const at = now.mpfAt + 26;
  assert.equal(view(result).getUint32(at + 4, true), 100 + now.end - was.end);
  assert.equal(view(result).getUint32(at + 24, true), 1000 + now.end - was.end);
});

test("the quality is told from the tables", () => {
  assert.equal(jpeg.quality(jpegOf([segment(0xdb, joined([Uint8Array.of(0), new Uint8Array(64).fill(1)]))], "")), 100);
  assert.equal(jpeg.quality(jpegOf([], "")), 0);
});

/** @param {string} name @param {Uint8Array} content */
function chunk(name, content) {
  const [length, sum, typed] = [new Uint8Array(4), new Uint8Array(4), joined([ascii(name), content])];
  view(length).setUint32(0, content.length);
  view(sum).setUint32(0, crc32(typed));
  return joined([length, typed, sum]);
}

/** @param {Uint8Array[]} before @param {string} pixels @param {Uint8Array[]} [after] @param {number} [colour] */
function pngOf(before, pixels, after = [], colour = 2) {
  const head = Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 8, colour, 0, 0, 0);
  return joined([
    ascii("\x89PNG\r\n\x1a\n"),
    chunk("IHDR", head),
    ...before,
    chunk("IDAT", ascii(pixels)),
    ...after,
    chunk("IEND", new Uint8Array()),
  ]);
}

test("a PNG keeps texts and what may be copied; what may not is named", () => {
  const original = pngOf([chunk("tEXt", ascii("Title\0x")), chunk("faKe", ascii("copied"))], "old", [
    chunk("noCP", ascii("left")),
    chunk("caBX", ascii("signed")),
  ]);
  /** @type {string[]} */
  const lost = [];
  const result = joined(png.carried(original, pngOf([], "new"), lost));
  assert.deepEqual(
    png.chunks(result).map(({ name }) => name),
    ["IHDR", "tEXt", "faKe", "IDAT", "IEND"],
  );
  assert.match(lost.join(), /noCP.*C2PA/s);
  for (const { end, name, content } of png.chunks(result)) {
    assert.equal(view(result).getUint32(end - 4), crc32(joined([ascii(name), content])));
  }
});

test("an animated PNG is seen to be one", () => {
  assert.ok(png.isAnimated(pngOf([chunk("acTL", new Uint8Array(8))], "")));
  assert.ok(!png.isAnimated(pngOf([], "")));
});

test("a WebP's head says what it holds", () => {
  const picture = joined([Uint8Array.of(0x2f), Uint8Array.of(0x63, 0, 0x12, 0)]); // 100 × 73, lossless
  /** @param {[string, Uint8Array][]} chunks */
  const file = (chunks) => {
    const body = joined(
      chunks.map(([name, content]) =>
        joined([ascii(name), Uint8Array.of(content.length, 0, 0, 0), content, new Uint8Array(content.length % 2)]),
      ),
    );
    const head = ascii("RIFF\0\0\0\0WEBP");
    view(head).setUint32(4, body.length + 4, true);
    return joined([head, body]);
  };
  const original = file([
    ["VP8X", new Uint8Array(10)],
    ["ICCP", ascii("prof")],
    ["VP8L", picture],
    ["EXIF", ascii("II*\0none")],
    ["ABCD", ascii("x")],
  ]);
  const result = joined(webp.carried(original, file([["VP8L", picture]]), []));
  const { chunks, end } = webp.parts(result);
  assert.equal(end, result.length);
  assert.deepEqual(
    chunks.map(({ name }) => name),
    ["VP8X", "ICCP", "VP8L", "EXIF", "ABCD"],
  );
  assert.equal(chunks[0].content[0], 0x28);
  assert.deepEqual([...chunks[0].content.subarray(4)], [99, 0, 0, 72, 0, 0]);
});

/** A one-page TIFF of some entries. @param {[number, number, number, number][]} entries tag, type, count, value @param {boolean} little */
function tiffOf(entries, little) {
  const bytes = new Uint8Array(8 + 2 + 12 * entries.length + 4);
  const data = view(bytes);
  bytes.set(ascii(little ? "II" : "MM"));
  data.setUint16(2, 42, little);
  data.setUint32(4, 8, little);
  data.setUint16(8, entries.length, little);
  entries.forEach(([tag, kind, count, value], index) => {
    const at = 10 + 12 * index;
    data.setUint16(at, tag, little);
    data.setUint16(at + 2, kind, little);
    data.setUint32(at + 4, count, little);
    if (kind === 3) data.setUint16(at + 8, value, little);
    else data.setUint32(at + 8, value, little);
  });
  return bytes;
}

test("a TIFF's tags go along, numbers turned, those of storage excepted", () => {
  const original = tiffOf(
    [
      [256, 3, 1, 7],
      [262, 3, 1, 2],
      [305, 4, 1, 0x01020304],
      [65000, 3, 1, 0x0a0b],
    ],
    false,
  );
  const coded = tiffOf(
    [
      [256, 3, 1, 9],
      [262, 3, 1, 2],
    ],
    true,
  );
  /** @type {string[]} */
  const lost = [];
  const result = joined(tiff.carried(original, coded, lost));
  assert.deepEqual(lost, []);
  const data = view(result);
  const at = data.getUint32(4, true);
  const found = Array.from({ length: data.getUint16(at, true) }, (_, index) => [
    data.getUint16(at + 2 + 12 * index, true),
    data.getUint32(at + 10 + 12 * index, true),
  ]);
  assert.deepEqual(found, [
    [256, 9],
    [262, 2],
    [305, 0x01020304],
    [65000, 0x0a0b],
  ]);
});

test("a TIFF in a circle is refused", () => {
  const bytes = tiffOf([[256, 3, 1, 7]], true);
  view(bytes).setUint32(22, 8, true);
  assert.throws(() => tiff.packing(bytes), /circle/);
});

test("EXIF without a thumbnail stays as it is; what is no EXIF too", () => {
  assert.equal(hasThumbnail(exifBlock([0, 0, 0, 0])), false);
  assert.equal(hasThumbnail(ascii("Exif\0\0")), false);
  const noise = Uint8Array.from({ length: 64 }, (_, at) => (37 * at) & 255);
  assert.equal(withoutThumbnail(noise), noise);
});

test("files are told by what they hold", () => {
  assert.deepEqual(sniff(ascii("\xff\xd8\xff\xe0")), { format: "jpeg" });
  assert.deepEqual(sniff(ascii("II*\0........")), { format: "tiff" });
  for (const [bytes, words] of /** @type {const} */ ([
    ["", /empty/],
    ["\0\0\0\x18ftypheic", /HEIC/],
    ["GIF89a", /GIF/],
    ["hello world!", /no image/],
  ])) {
    const told = sniff(ascii(bytes));
    assert.ok("refusal" in told && words.test(told.refusal));
  }
});

test("no damaged file brings a reader into trouble", () => {
  const whole = [
    jpegOf([segment(0xe1, exifBlock([26, 0, 0, 0, 0, 0]))], "old"),
    pngOf([chunk("eXIf", ascii("II*\0\x08\0\0\0"))], "old"),
    tiffOf(
      [
        [34665, 4, 1, 8],
        [330, 4, 1, 8],
      ],
      true,
    ),
  ];
  let state = 1;
  const random = () => (state = (state * 48271) % 0x7fffffff) / 0x7fffffff;
  for (let round = 0; round < 3000; round += 1) {
    const original = whole[round % 3].slice();
    for (let change = 0; change < 3; change += 1) original[Math.floor(random() * original.length)] = Math.floor(random() * 256);
    const data = original.subarray(0, random() < 0.3 ? Math.floor(random() * original.length) : original.length);
    const carried = [jpeg.carried, png.carried, tiff.carried][round % 3];
    try {
      carried(data, whole[round % 3], []);
    } catch (error) {
      assert.ok(error instanceof Error);
    }
  }
});
