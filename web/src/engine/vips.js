/** Photos through wasm-vips: opened, decoded as they are stored, and packed again as they were. */

import * as containers from "../containers/index.js";
import * as jpeg from "../containers/jpeg.js";
import * as png from "../containers/png.js";
import * as tiff from "../containers/tiff.js";
import * as webp from "../containers/webp.js";

/** @typedef {import("../containers/sniff.js").Format} Format */
/** @typedef {import("./channels.js").Picture} Picture */
/** wasm-vips, as its module gives it. @typedef {any} Vips */
/**
 * What a file's header tells: `alpha`, whether the last channel is transparency; `inks`: CMYK; `extra`: so many last channels are neither
 * colours nor transparency; `losses`: what the pixels lose by the way they are stored again, in words.
 * @typedef {{format: Format, width: number, height: number, bands: number, bytes: number, alpha: boolean, inks: boolean, extra: number,
 *   nodata: number | undefined, top: number | undefined, losses: string[], turned: number}} Told
 */

const NONE = 0; // of what libvips would write of the metadata by itself
const OTHER = 16;
const COLOURS = ["b-w", "srgb", "rgb", "rgb16", "grey16", "scrgb", "cmyk", "multiband"];
/** @type {Record<string, number>} */
const SAMPLE_BYTES = { uchar: 1, ushort: 2, float: 4 };
const ARRAYS = { uchar: Uint8Array, ushort: Uint16Array, float: Float32Array };

/**
 * The file's header. Raises an Error, in words for people, for what is not restored here.
 * @param {Vips} vips
 * @param {Uint8Array} data
 * @param {Format} format
 * @returns {Told}
 */
export function told(vips, data, format) {
  const packing = format === "tiff" ? checkedTiff(data) : null;
  if (format === "png" && png.isAnimated(data)) throw new Error("is an animated PNG; this page restores still pictures");
  if (format === "webp" && webp.isAnimated(data)) throw new Error("is an animated WebP; burnish restore on the command line restores it");
  const image = opened(vips, data, format);
  try {
    const kind = text(image, "format");
    const colours = text(image, "interpretation");
    if (!SAMPLE_BYTES[kind] || !COLOURS.includes(colours)) {
      throw new Error(`holds ${colours} values of type ${kind}, which are not restored; convert it to 8 or 16 bits, RGB or grey`);
    }
    let [alpha, extra] = [image.hasAlpha(), 0];
    if (packing?.extra.length && ![1, 2].includes(packing.extra[0]))
      [alpha, extra] = [false, Math.min(packing.extra.length, image.bands - 1)];
    const nodata = packing?.nodata;
    return {
      format,
      width: image.width,
      height: image.height,
      bands: image.bands,
      bytes: SAMPLE_BYTES[kind],
      alpha,
      inks: colours === "cmyk",
      extra,
      nodata: nodata === undefined || kind === "float" || Number.isInteger(nodata) ? nodata && Math.fround(nodata) : undefined,
      top: packing?.top,
      losses: losses(image, format, extra, packing),
      turned: image.getTypeof("orientation") ? image.getInt("orientation") : 1,
    };
  } finally {
    image.delete();
  }
}

/** @param {Uint8Array} data */
function checkedTiff(data) {
  let packing;
  try {
    packing = tiff.packing(data);
  } catch (error) {
    throw new Error("is a TIFF whose directories lead nowhere; it is cut off or broken, copy it anew", { cause: error });
  }
  if (packing.big) throw new Error("is a BigTIFF, which this page does not restore; burnish restore on the command line does");
  if (packing.pages > 1)
    throw new Error(`holds ${packing.pages} pages, of which this page would restore one; burnish restore on the command line restores all`);
  if (packing.preview)
    throw new Error("holds its picture in a sub-directory and only a preview as its page, as raw files do; develop it first");
  if (!tiff.READ_AS_COLOURS.includes(packing.photometric))
    throw new Error("holds values of a kind that is not restored; develop or convert it to RGB or grey");
  if (packing.sparse && packing.nodata !== undefined)
    throw new Error("leaves out parts without data; burnish restore on the command line tells more");
  if (packing.nodata !== undefined && packing.photometric === 0)
    throw new Error("counts from white and has a value for pixels without data; save it counting from black");
  return packing;
}

/**
 * What the pixels themselves lose by the way they are stored.
 * @param {any} image
 * @param {Format} format
 * @param {number} extra
 * @param {tiff.Packing | null} packing
 */
function losses(image, format, extra, packing) {
  const lost = [];
  const palette = image.getTypeof("palette") && image.getInt("palette");
  const bits = image.getTypeof("bits-per-sample") ? image.getInt("bits-per-sample") : 8;
  if (palette) lost.push("its palette: the result has full colours");
  if (bits < 8 && !palette) lost.push(`its ${bits} bits a channel: the result has 8`);
  if (packing?.format === 3 && packing.bits === 16) lost.push("its 16 bits a channel: the result has 32");
  if (extra) lost.push(`a restoration of its ${extra} channel(s) beside the colours, which are as they were`);
  return lost;
}

/** @param {any} image @param {string} name */
function text(image, name) {
  const value = image[name];
  return typeof value === "string" ? value : String(value);
}

/** @param {Vips} vips @param {Uint8Array} data @param {Format} format */
function opened(vips, data, format) {
  const load = { jpeg: "jpegloadBuffer", png: "pngloadBuffer", webp: "webploadBuffer", tiff: "tiffloadBuffer" }[format];
  try {
    return vips.Image[load](data, { access: "sequential", fail_on: format === "tiff" ? "error" : "truncated" });
  } catch (error) {
    throw unreadable(error);
  }
}

/** @param {unknown} error */
function unreadable(error) {
  const why = String(error instanceof Error ? error.message : error)
    .trim()
    .split("\n")
    .pop();
  return new Error(`cannot be read as an image (${why}); open it in another program to see if it is whole`, { cause: error });
}

/**
 * The stored values. Raises an Error for a file that breaks off.
 * @param {Vips} vips
 * @param {Uint8Array} data
 * @param {Format} format
 * @returns {Picture}
 */
export function decoded(vips, data, format) {
  const image = opened(vips, data, format);
  try {
    const [width, height, bands] = [image.width, image.height, image.bands];
    const kind = /** @type {"uchar" | "ushort" | "float"} */ (text(image, "format"));
    const memory = image.writeToMemory();
    const samples = new ARRAYS[kind](memory.buffer, memory.byteOffset, memory.byteLength / SAMPLE_BYTES[kind]);
    return { data: samples, width, height, bands };
  } catch (error) {
    throw unreadable(error);
  } finally {
    image.delete();
  }
}

/**
 * The picture as a file like the original, with all that the original carries; and what it lacks, in words.
 * @param {Vips} vips
 * @param {Uint8Array} original
 * @param {Told} photo
 * @param {Picture} picture
 */
export function encoded(vips, original, photo, picture) {
  const header = opened(vips, original, photo.format);
  const bare = vips.Image.newFromMemory(picture.data, picture.width, picture.height, picture.bands, text(header, "format"));
  const image = bare.copy({ interpretation: text(header, "interpretation"), xres: header.xres, yres: header.yres });
  try {
    const save = { jpeg: "jpegsaveBuffer", png: "pngsaveBuffer", webp: "webpsaveBuffer", tiff: "tiffsaveBuffer" }[photo.format];
    const coded = image[save](options(header, original, photo));
    const result = containers.carried(photo.format, original, coded);
    return { parts: result.parts, lost: [...photo.losses, ...result.lost] };
  } finally {
    for (const each of [image, bare, header]) each.delete();
  }
}

/** The options of libvips' writer: as the original is packed. @param {any} header @param {Uint8Array} original @param {Told} photo */
function options(header, original, photo) {
  const interlace = Boolean(header.getTypeof("interlaced") && header.getInt("interlaced"));
  switch (photo.format) {
    case "jpeg": {
      const halved = header.getTypeof("jpeg-chroma-subsample") && header.getString("jpeg-chroma-subsample") === "4:2:0";
      return { keep: NONE, Q: Math.max(90, jpeg.quality(original)), subsample_mode: halved ? "on" : "off", interlace };
    }
    case "png":
      return { keep: OTHER, interlace };
    case "webp":
      return { keep: NONE, lossless: webp.isLossless(original), exact: true, Q: 95, smart_subsample: true };
    default: {
      const packing = tiff.packing(original);
      const named = { 1: "none", 5: "lzw", 7: "jpeg" }[packing.compression] ?? "deflate";
      const predictor = { 2: "horizontal", 3: "float" }[packing.predictor] ?? "none";
      return { keep: OTHER, compression: named, Q: 95, predictor, premultiply: packing.extra.length === 1 && packing.extra[0] === 1 };
    }
  }
}

/**
 * A picture that every browser shows, of 8 bits, turned as it is meant to be seen, for formats that browsers do not show.
 * @param {Vips} vips
 * @param {Picture} picture
 * @param {import("./channels.js").Span} span
 * @param {Told} photo
 * @returns {Uint8Array}
 */
export function shown(vips, picture, span, photo) {
  const colours = picture.bands - Number(photo.alpha) - photo.extra;
  const kept = photo.inks ? 4 : colours >= 3 ? 3 : 1;
  const size = picture.width * picture.height;
  const bytes = new Uint8Array(size * kept);
  const factor = 255 / (span.high - span.low);
  for (let at = 0, to = 0; at < picture.data.length; at += picture.bands) {
    for (let band = 0; band < kept; band += 1, to += 1)
      bytes[to] = Math.min(255, Math.max(0, Math.round((picture.data[at + band] - span.low) * factor)));
  }
  let image = vips.Image.newFromMemory(bytes, picture.width, picture.height, kept, "uchar");
  image = image.copy({ interpretation: photo.inks ? "cmyk" : kept === 3 ? "srgb" : "b-w" });
  if (photo.inks) image = image.colourspace("srgb");
  if (photo.turned > 1) {
    image.setInt("orientation", photo.turned);
    image = image.autorot();
  }
  return image.pngsaveBuffer({ compression: 1, keep: NONE });
}
