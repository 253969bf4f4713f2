/** A recording before and after, and what was taken away from it: one player whose place stays where it is when another is chosen. */

/** @typedef {import("./list.js").Item} Item */
/** @typedef {"before" | "after" | "taken"} Take */

/** @template {HTMLElement} T @param {string} id @returns {T} */
function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

export class Player {
  /** @param {(item: Item, strength: number) => void} strengthened is told when a strength has been settled on */
  constructor(strengthened) {
    this.section = byId("player");
    this.title = byId("player-title");
    this.audio = /** @type {HTMLAudioElement} */ (byId("audio"));
    this.problem = byId("audio-problem");
    this.strength = /** @type {HTMLInputElement} */ (byId("sound-strength"));
    this.strengthTold = byId("sound-strength-told");
    this.takes = /** @type {HTMLButtonElement[]} */ ([...this.section.querySelectorAll("[data-take]")]);
    /** @type {Item | undefined} */
    this.item = undefined;
    /** @type {Take} */
    this.take = "after";
    this.url = "";
    for (const button of this.takes) button.addEventListener("click", () => this.play(/** @type {Take} */ (button.dataset.take)));
    this.audio.addEventListener("error", () => (this.problem.hidden = !this.url));
    this.strength.addEventListener("input", () => this.tell());
    this.strength.addEventListener("change", () => this.item && strengthened(this.item, Number(this.strength.value) / 100));
  }

  /** @param {Item} item one that has been restored */
  show(item) {
    this.hide();
    this.item = item;
    this.title.textContent = item.name;
    this.strength.value = String(Math.round(100 * item.strength));
    this.section.hidden = false;
    this.tell();
    this.play("after");
  }

  hide() {
    this.item = undefined;
    this.section.hidden = true;
    this.audio.pause();
    this.audio.removeAttribute("src");
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = "";
  }

  /** Another strength has been made of what is shown. @param {Item} item */
  changed(item) {
    if (item === this.item && this.take === "after") this.play("after");
  }

  /** Play another take from where this one is, if one is playing. @param {Take} take */
  play(take) {
    const outcome = this.item?.outcome;
    if (!this.item || !outcome) return;
    this.take = take;
    const blob = { before: this.item.file, after: outcome.result, taken: outcome.taken }[take];
    const { currentTime, paused } = this.audio;
    if (this.url) URL.revokeObjectURL(this.url);
    this.url = blob ? URL.createObjectURL(blob) : "";
    this.problem.hidden = true;
    this.audio.src = this.url;
    this.audio.currentTime = currentTime;
    if (!paused) void this.audio.play().catch(() => undefined);
    this.tell();
  }

  tell() {
    for (const button of this.takes) button.setAttribute("aria-pressed", String(button.dataset.take === this.take));
    const names = { before: "as it was", after: "restored", taken: "what was taken away" };
    this.audio.setAttribute("aria-label", `${this.title.textContent}, ${names[this.take]}`);
    this.strengthTold.textContent = `${this.strength.value} %`;
    this.strength.setAttribute("aria-valuetext", `${this.strength.value} %`);
  }
}
