/** An XMP packet: carried as it is, but for what it promises and the file does not hold any more. */

import { ascii, latin1 } from "./bytes.js";

export const C2PA = "its C2PA credentials: their signature does not hold for changed pixels";
const PROVENANCE = /\s+dcterms:provenance\s*=\s*("[^"]*"|'[^']*')|\s*<dcterms:provenance\b[^>]*?(\/>|>[\s\S]*?<\/dcterms:provenance>)/g;

/** The packet without the place of C2PA credentials, which do not hold for changed pixels. @param {Uint8Array} packet */
export function withoutProvenance(packet) {
  const text = latin1(packet); // byte for byte: the packet's own letters are not looked at
  const kept = text.replace(PROVENANCE, "");
  return kept === text ? packet : ascii(kept);
}
