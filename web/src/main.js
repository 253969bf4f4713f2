/** The page: what is given to it is restored, one file after another, compared, and handed back. */

import { listen } from "./drop.js";
import { isolated, registered } from "./isolation.js";
import { Cancelled, Jobs } from "./jobs.js";
import { Item } from "./list.js";
import { listed, picker } from "./models.js";
import { Unique, safeFolders } from "./names.js";
import { Player } from "./player.js";
import { claimed, forgotten } from "./store.js";
import { Viewer } from "./viewer.js";
import { zipped } from "./zip.js";

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} words */
function problem(words) {
  byId("problem").textContent = words;
  byId("problem").hidden = false;
}

/** Why this browser cannot restore, or "". */
function lacking() {
  if (typeof WebAssembly !== "object")
    return "This browser has WebAssembly switched off, without which nothing is restored here. Another browser, or burnish restore on the command line, can.";
  return "";
}

class Page {
  /** @param {() => import("./jobs.js").Models} models those that are chosen @param {string} tab */
  constructor(models, tab) {
    this.models = models;
    this.tab = tab;
    this.jobs = new Jobs();
    /** @type {Item[]} */
    this.items = [];
    /** What is compared. @type {Item | undefined} */
    this.shown = undefined;
    this.viewer = new Viewer((item, strength) => this.strengthen(item, strength));
    this.player = new Player((item, strength) => this.strengthen(item, strength));
    byId("cancel-all").addEventListener("click", () => this.jobs.cancel(({ type }) => type === "restore"));
    byId("clear").addEventListener("click", () => this.clear());
    byId("zip").addEventListener("click", () => this.zip());
    addEventListener("beforeunload", (event) => {
      if (this.items.some((item) => !item.isOver())) event.preventDefault();
    });
  }

  /** @param {import("./drop.js").Given[]} given */
  take(given) {
    const models = this.models();
    for (const each of given) {
      const item = new Item(each, {
        compare: (chosen) => this.compare(chosen, true),
        cancel: ({ id }) => this.jobs.cancel((job) => job.id === id),
        remove: (chosen) => this.remove(chosen),
        force: (chosen) => {
          chosen.wait();
          void this.restore(chosen, models, true);
          this.tell();
        },
      });
      this.items.push(item);
      byId("list").append(item.row);
      void this.restore(item, models);
    }
    this.tell();
  }

  /**
   * @param {Item} item
   * @param {import("./jobs.js").Models} models
   * @param {boolean} [force] whether to restore what would be left as it is
   */
  async restore(item, models, force = false) {
    try {
      const job = /** @type {const} */ ({ type: "restore", id: item.id, tab: this.tab, file: item.file, models, force });
      const outcome = await this.jobs.add(job, (share) => item.advance(share));
      item.finish(outcome);
      if (!this.shown && outcome.status === "restored") this.compare(item, false);
    } catch (error) {
      if (error instanceof Cancelled) item.cancelled();
      else item.fail(error instanceof Error ? error.message : String(error));
    }
    this.tell();
  }

  /** @param {Item} item @param {boolean} asked */
  compare(item, asked) {
    for (const each of this.items) each.row.classList.toggle("selected", each === item);
    this.shown = item;
    const [one, other] = item.outcome?.kind === "audio" ? [this.player, this.viewer] : [this.viewer, this.player];
    other.hide();
    one.show(item);
    if (asked) one.section.scrollIntoView({ block: "start", behavior: "instant" });
  }

  /** @param {Item} item @param {number} strength */
  async strengthen(item, strength) {
    const full = item.outcome?.full;
    if (!full || strength === item.strength) return;
    item.strength = strength;
    if (strength === 1) {
      this.jobs.cancel(({ id, type }) => type === "encode" && id === item.id);
      item.offer(item.strongest);
      this.player.changed(item);
      return;
    }
    item.offer(undefined);
    this.tell();
    try {
      const { result } = await this.jobs.add({ type: "encode", id: item.id, file: item.file, full, strength });
      item.offer(result);
      this.player.changed(item);
    } catch (error) {
      if (error instanceof Cancelled) return;
      item.fail(error instanceof Error ? error.message : String(error));
    }
    this.tell();
  }

  /** @param {Item} item */
  remove(item) {
    this.jobs.cancel(({ id }) => id === item.id);
    this.items = this.items.filter((each) => each !== item);
    item.gone();
    void forgotten(this.tab, item.id, `${item.id}-taken`);
    if (this.shown === item) {
      this.shown = undefined;
      this.viewer.hide();
      this.player.hide();
      const next = this.items.find((each) => each.outcome?.status === "restored");
      if (next) this.compare(next, false);
    }
    this.tell();
  }

  clear() {
    for (const item of [...this.items]) this.remove(item);
    byId("files").focus();
  }

  async zip() {
    const button = /** @type {HTMLButtonElement} */ (byId("zip"));
    const names = new Unique();
    const files = this.items.flatMap((item) => {
      const result = item.outcome?.result;
      if (!result || item.state !== "done") return [];
      return [{ name: names.of([...safeFolders(item.path), item.link.download].join("/")), blob: result, time: item.file.lastModified }];
    });
    button.disabled = true;
    try {
      const url = URL.createObjectURL(await zipped(files));
      const link = Object.assign(document.createElement("a"), { href: url, download: "burnish.zip" });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      problem(`The ZIP could not be made: ${error instanceof Error ? error.message : error}.`);
    }
    button.disabled = false;
  }

  /** How many are where, in words. */
  tell() {
    /** @param {string} state */
    const count = (state) => this.items.filter((item) => item.state === state).length;
    const open = this.items.filter((item) => !item.isOver()).length;
    const words = [`${count("done")} of ${this.items.length} done`];
    if (count("failed")) words.push(`${count("failed")} not restored`);
    if (count("cancelled")) words.push(`${count("cancelled")} cancelled`);
    byId("overall").textContent = words.join(", ");
    byId("results").hidden = !this.items.length;
    byId("main").classList.toggle("filled", this.items.length > 0);
    byId("cancel-all").hidden = !open;
    byId("zip").hidden = count("done") < 2;
    document.title = open ? `${count("done")}/${this.items.length} · Burnish` : "Burnish";
  }
}

async function start() {
  const lacks = lacking();
  if (lacks) return problem(lacks);
  if (!(await isolated())) {
    return problem(
      "Restoring here takes memory that threads share, which this browser gives only to pages " +
        "that are reached by https or on this very computer (localhost), and not in every " +
        "private window. Open the page that way, or use burnish restore on the command line.",
    );
  }
  const { models, version } = await listed();
  const [photos, recordings] = [picker(models.image, "models-image"), picker(models.audio, "models-audio")];
  const page = new Page(() => ({ image: photos(), audio: recordings() }), await claimed());
  byId("version").textContent = version && `· Burnish ${version}`;
  listen((given) => page.take(given));
  byId("files").removeAttribute("disabled");
  document.documentElement.dataset.ready = "true";
  void registered().catch(() => undefined);
}

start().catch((error) => problem(error instanceof Error ? error.message : String(error)));
