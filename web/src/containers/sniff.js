/** What a file is, told by its first bytes, whatever it calls itself. */

import { latin1, startsWith } from "./bytes.js";

/** @typedef {"jpeg" | "png" | "webp" | "tiff"} Format */

const ELSEWHERE = "which this page does not restore; burnish restore on the command line does";
/** Sound by its first bytes: what it is called. @type {[string, number, string][]} */
const SOUNDS = [
  ["fLaC", 0, "FLAC"],
  ["OggS", 0, "Ogg"],
  ["ID3", 0, "MP3"],
  ["AIFF", 8, "AIFF"],
  ["AIFC", 8, "AIFF"],
];
const MPEG4 = ["M4A ", "M4B ", "mp41", "mp42", "isom", "iso2"];

export const ENDINGS = { jpeg: "jpg", png: "png", webp: "webp", tiff: "tif" };
const HEIC = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/**
 * The format of a file whose first bytes these are, an image's or "wav", or why it is not restored here.
 * @param {Uint8Array} head 12 bytes or more
 * @returns {{format: Format | "wav"} | {refusal: string}}
 */
export function sniff(head) {
  if (!head.length) return { refusal: "is empty (0 bytes); copy it anew" };
  if (startsWith(head, "\xff\xd8\xff")) return { format: "jpeg" };
  if (startsWith(head, "\x89PNG\r\n\x1a\n")) return { format: "png" };
  if (["II*\0", "MM\0*", "II+\0", "MM\0+"].some((mark) => startsWith(head, mark))) return { format: "tiff" };
  if (startsWith(head, "RIFF") && startsWith(head, "WEBP", 8)) return { format: "webp" };
  if ((startsWith(head, "RIFF") || startsWith(head, "RF64")) && startsWith(head, "WAVE", 8)) return { format: "wav" };
  const brand = startsWith(head, "ftyp", 4) ? latin1(head.subarray(8, 12)) : "";
  if (HEIC.includes(brand)) return { refusal: "is HEIC, which browsers cannot read or write; convert it to JPEG or PNG first" };
  if (brand === "avif" || brand === "avis")
    return { refusal: `is AVIF, ${ELSEWHERE}` };
  if (startsWith(head, "GIF8")) return { refusal: `is a GIF, ${ELSEWHERE}` };
  const sound = SOUNDS.find(([mark, at]) => startsWith(head, mark, at))?.[2] ?? (isMp3(head) ? "MP3" : "");
  if (sound) return { refusal: `is ${sound}, ${ELSEWHERE}, or save it as WAV first` };
  if (MPEG4.includes(brand)) return { refusal: "is MPEG-4 (AAC), which nothing here reads; save it as WAV first" };
  return { refusal: "is no image or recording that is restored here: no JPEG, PNG, WebP, TIFF or WAV" };
}

/** Whether a frame of MPEG's layer III begins there. @param {Uint8Array} head */
function isMp3(head) {
  return head[0] === 0xff && (head[1] & 0xe6) === 0xe2;
}
