/** What a file is, told by its first bytes, whatever it calls itself. */

import { latin1, startsWith } from "./bytes.js";

/** @typedef {"jpeg" | "png" | "webp" | "tiff"} Format */

export const ENDINGS = { jpeg: "jpg", png: "png", webp: "webp", tiff: "tif" };
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/**
 * The format of a file whose first bytes these are, or why it is not restored here.
 * @param {Uint8Array} head 12 bytes or more
 * @returns {{format: Format} | {refusal: string}}
 */
export function sniff(head) {
  if (!head.length) return { refusal: "is empty (0 bytes); copy it anew" };
  if (startsWith(head, "\xff\xd8\xff")) return { format: "jpeg" };
  if (startsWith(head, "\x89PNG\r\n\x1a\n")) return { format: "png" };
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].some((mark) => startsWith(head, mark))) return { format: "tiff" };
  if (startsWith(head, "RIFF") && startsWith(head, "WEBP", 8)) return { format: "webp" };
  const brand = startsWith(head, "ftyp", 4) ? latin1(head.subarray(8, 12)) : "";
  if (HEIC.includes(brand)) return { refusal: "is HEIC, which browsers cannot read or write; convert it to JPEG or PNG first" };
  if (brand === "avif" || brand === "avis")
    return { refusal: "is AVIF, which this page does not restore; burnish restore on the command line does" };
  if (startsWith(head, "GIF8")) return { refusal: "is a GIF, which this page does not restore; burnish restore on the command line does" };
  return { refusal: "is no image that can be read: no JPEG, PNG, WebP or TIFF" };
}
