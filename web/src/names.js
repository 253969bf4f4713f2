/** Names of files, made safe for every system, and for a ZIP. */

const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
const LONGEST = 120; // letters of a name without its ending

/**
 * A single name without anything that leads elsewhere or that some system refuses.
 * @param {string} name
 */
export function safe(name) {
  const last = name.split(/[/\\]/).pop() ?? "";
  /* eslint-disable no-control-regex */
  const plain = last
    .replace(/[\u0000-\u001f\u007f-\u009f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, "_")
    .replace(/[. ]+$/, "")
    .replace(/^\.+/, "_");
  /* eslint-enable no-control-regex */
  const named = plain || "photo";
  return RESERVED.test(named) ? `_${named}` : named;
}

/**
 * What a result is called: as `burnish restore` does, `NAME-restored.EXT`; the ending stays as it is.
 * @param {string} name
 * @param {string} ending for a name that has none
 */
export function resultName(name, ending) {
  const plain = safe(name);
  const dot = plain.lastIndexOf(".");
  const [stem, extension] = dot > 0 ? [plain.slice(0, dot), plain.slice(dot)] : [plain, `.${ending}`];
  return `${[...stem].slice(0, LONGEST).join("")}-restored${extension}`;
}

/**
 * The folders of a path, each made safe, without steps upwards.
 * @param {string} path
 */
export function safeFolders(path) {
  return path
    .split(/[/\\]/)
    .slice(0, -1)
    .filter((part) => part && part !== "." && part !== "..")
    .map(safe);
}

/** Names that differ from each other on every system: the second of the same gets " (2)". */
export class Unique {
  constructor() {
    /** @type {Set<string>} */
    this.taken = new Set();
  }

  /** @param {string} path */
  of(path) {
    const slash = path.lastIndexOf("/") + 1;
    const dot = path.lastIndexOf(".");
    const [stem, ending] = dot > slash ? [path.slice(0, dot), path.slice(dot)] : [path, ""];
    let named = path;
    for (let count = 2; this.taken.has(named.toLowerCase().normalize("NFC")); count += 1) named = `${stem} (${count})${ending}`;
    this.taken.add(named.toLowerCase().normalize("NFC"));
    return named;
  }
}
