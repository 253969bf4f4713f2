/** The files of the page, each with how far it is, what became of it, and its download. */

import { resultName } from "./names.js";

/** @typedef {import("./jobs.js").Outcome} Outcome */
/** @typedef {"waiting" | "working" | "done" | "failed" | "cancelled"} State */
/**
 * What an item asks for.
 * @typedef {{compare: (item: Item) => void, cancel: (item: Item) => void, remove: (item: Item) => void, force: (item: Item) => void}} Asked
 */

let count = 0;

export class Item {
  /** @param {import("./drop.js").Given} given @param {Asked} asked */
  constructor({ file, path }, asked) {
    count += 1;
    this.id = `file-${count}`;
    this.file = file;
    this.path = path;
    this.name = file.name;
    this.asked = asked;
    /** @type {State} */
    this.state = "waiting";
    this.share = 0;
    this.strength = 1;
    /** @type {Outcome | undefined} */
    this.outcome = undefined;
    /** At full strength, while `outcome.result` is at the strength chosen. @type {Blob | undefined} */
    this.strongest = undefined;
    this.url = "";
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("item"));
    this.row = /** @type {HTMLLIElement} */ (template.content.cloneNode(true).firstChild?.nextSibling);
    this.part("h3").textContent = path;
    this.link = /** @type {HTMLAnchorElement} */ (this.part("a"));
    this.button = /** @type {HTMLButtonElement} */ (this.part(".cancel"));
    this.progress = /** @type {HTMLProgressElement} */ (this.part("progress"));
    this.progress.setAttribute("aria-label", `How far ${this.name} is`);
    this.button.addEventListener("click", () => (this.isOver() ? asked.remove(this) : asked.cancel(this)));
    for (const each of [this.part(".thumb"), this.part(".compare")]) each.addEventListener("click", () => asked.compare(this));
    this.comparing("Compare", "Compare");
    this.part(".force").addEventListener("click", () => asked.force(this));
    this.part(".force").setAttribute("aria-label", `Restore ${this.name} anyway`);
    this.link.addEventListener("click", (event) => {
      if (!this.link.hasAttribute("href")) event.preventDefault();
    });
    this.wait();
  }

  wait() {
    this.state = "waiting";
    this.tell("Waiting");
    this.drawn();
  }

  /** @param {string} selector @returns {HTMLElement} */
  part(selector) {
    return /** @type {HTMLElement} */ (this.row.querySelector(selector));
  }

  /** What the buttons that show it before and after are called. @param {string} short @param {string} verb */
  comparing(short, verb) {
    this.part(".compare").textContent = short;
    for (const each of [this.part(".thumb"), this.part(".compare")]) each.setAttribute("aria-label", `${verb} ${this.name} before and after`);
  }

  isOver() {
    return this.state === "done" || this.state === "failed" || this.state === "cancelled";
  }

  /** @param {string} words */
  tell(words) {
    this.part(".state").textContent = words;
  }

  /** @param {number} share */
  advance(share) {
    if (this.state !== "working") this.began = performance.now();
    this.state = "working";
    this.share = share;
    const spent = (performance.now() - (this.began ?? 0)) / 1000;
    const left = share > 0.05 && spent > 1.5 ? `, ${seconds(((1 - share) * spent) / share)} left` : "";
    this.tell(share ? `Restoring: ${Math.floor(100 * share)} %${left}` : "Reading it, and the model");
    if (share) this.progress.value = share;
    else this.progress.removeAttribute("value");
    this.drawn();
  }

  /** @param {Outcome} outcome */
  finish(outcome) {
    this.state = "done";
    this.outcome = outcome;
    this.strongest = outcome.result;
    const done = outcome.status === "restored" ? `Restored in ${seconds(outcome.seconds)}` : "Left as it was";
    this.tell(`${done}, ${outcome.size}`);
    const sound = outcome.kind === "audio";
    this.row.classList.toggle("sound", sound);
    this.comparing(sound ? "Listen" : "Compare", sound ? "Listen to" : "Compare");
    const notes = [...outcome.notes, ...outcome.lost.map((each) => `the result lacks ${each}`)];
    const list = this.part(".notes");
    list.replaceChildren(
      ...notes.map((note) => {
        const line = document.createElement("li");
        line.textContent = note;
        return line;
      }),
    );
    this.link.download = resultName(this.name, outcome.ending);
    this.link.setAttribute("aria-label", `Download ${this.link.download}`);
    this.offer(outcome.result);
    this.drawn();
    void this.thumbnail();
  }

  /** Make a file what is downloaded; undefined while it is being made. @param {Blob | undefined} result */
  offer(result) {
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = result ? URL.createObjectURL(result) : "";
    if (result) this.link.href = this.url;
    else this.link.removeAttribute("href");
    this.link.setAttribute("aria-disabled", String(!result));
    this.link.textContent = result ? "Download" : "Preparing …";
    if (result && this.outcome) this.outcome.result = result;
  }

  /** @param {string} why */
  fail(why) {
    this.state = "failed";
    this.tell(`Not restored: ${sentence(why)}`);
    this.drawn();
  }

  cancelled() {
    this.state = "cancelled";
    this.tell("Cancelled");
    this.drawn();
  }

  /** What can be seen side by side, the restored one at full strength. */
  pictures() {
    if (this.outcome?.kind !== "image" || !this.strongest) return undefined;
    return this.outcome.shown ?? { before: this.file, after: this.strongest };
  }

  async thumbnail() {
    const picture = this.part(".thumb img");
    const blob = this.pictures()?.after;
    const bitmap = blob && (await createImageBitmap(blob, { resizeWidth: 144, resizeQuality: "low" }).catch(() => null));
    if (!bitmap || !this.outcome) return;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    bitmap.close();
    /** @type {HTMLImageElement} */ (picture).src = canvas.toDataURL("image/jpeg", 0.8);
  }

  /** Bring the row up to date with its state. */
  drawn() {
    const over = this.isOver();
    this.row.classList.toggle("failed", this.state === "failed");
    this.part(".notes").hidden = this.state !== "done" || !this.part(".notes").hasChildNodes();
    this.progress.hidden = this.state !== "working";
    this.part(".compare").hidden = this.outcome?.status !== "restored";
    /** @type {HTMLButtonElement} */ (this.part(".thumb")).disabled = this.outcome?.status !== "restored";
    this.part(".force").hidden = this.outcome?.status !== "unchanged" || this.state !== "done";
    this.link.hidden = this.state !== "done";
    this.button.textContent = over ? "Remove" : "Cancel";
    this.button.setAttribute("aria-label", `${over ? "Remove" : "Cancel"} ${this.name}`);
  }

  gone() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.outcome = undefined;
    this.strongest = undefined;
    this.row.remove();
  }
}

/** @param {number} value */
export function seconds(value) {
  if (value < 1) return "less than a second";
  if (value < 90) return `${Math.round(value)} s`;
  return `${Math.round(value / 60)} min`;
}

/** What is said of a file, where its name is not: "is empty" as "it is empty". @param {string} why */
function sentence(why) {
  return why.replace(/^(?:is|has|holds|stores|leaves|counts|cannot) /, "it $&");
}
