/**
 * A photo before and after: the browser's own pictures one over the other, so that each is decoded, turned and shown in its colours as
 * anywhere else. The strength is the opacity of the one that lies above, which is how strength blends.
 */

/** @typedef {import("./list.js").Item} Item */

const LEAST = 256; // pixels of the screen that the stage is high at least, where a photo that fits would take less
const STEP = 64; // pixels of the screen that an arrow key moves the photo
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @template {HTMLElement} T @param {string} id @returns {T} */
function byId(id) {
  return /** @type {T} */ (document.getElementById(id));
}

export class Viewer {
  /** @param {(item: Item, strength: number) => void} strengthened is told when a strength has been settled on */
  constructor(strengthened) {
    this.section = byId("viewer");
    this.title = byId("viewer-title");
    this.stage = byId("stage");
    this.sheet = byId("sheet");
    this.line = byId("line");
    this.before = /** @type {HTMLImageElement} */ (byId("before"));
    this.after = /** @type {HTMLImageElement} */ (byId("after"));
    this.split = /** @type {HTMLInputElement} */ (byId("split"));
    this.strength = /** @type {HTMLInputElement} */ (byId("strength"));
    this.strengthTold = byId("strength-told");
    this.difference = /** @type {HTMLInputElement} */ (byId("difference"));
    this.zooms = /** @type {HTMLButtonElement[]} */ ([...this.section.querySelectorAll("[data-zoom]")]);
    /** @type {string[]} */
    this.urls = [];
    /** @type {Item | undefined} */
    this.item = undefined;
    this.zoom = "fit";
    this.split.addEventListener("input", () => this.draw());
    this.stage.addEventListener("scroll", () => this.draw(), { passive: true });
    this.strength.addEventListener("input", () => this.draw());
    this.strength.addEventListener("change", () => this.item && strengthened(this.item, Number(this.strength.value) / 100));
    this.difference.addEventListener("change", () => this.draw());
    for (const button of this.zooms) button.addEventListener("click", () => this.zoomTo(String(button.dataset.zoom)));
    this.before.addEventListener("load", () => this.layOut());
    new ResizeObserver(() => this.layOut()).observe(this.stage);
    this.stage.addEventListener("dblclick", () => this.zoomTo(this.zoom === "fit" ? "1" : "fit"));
    this.dragged();
  }

  /** @param {Item} item one that has been restored */
  show(item) {
    const pictures = item.pictures();
    if (!pictures) return;
    this.item = item;
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls = [pictures.before, pictures.after].map((blob) => URL.createObjectURL(blob));
    [this.before.src, this.after.src] = this.urls;
    this.before.alt = `${item.name} as it was`;
    this.after.alt = `${item.name} restored`;
    this.title.textContent = item.name;
    this.strength.value = String(Math.round(100 * item.strength));
    this.section.hidden = false;
    this.draw();
  }

  hide() {
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls = [];
    this.item = undefined;
    this.before.removeAttribute("src");
    this.after.removeAttribute("src");
    this.section.hidden = true;
  }

  /** @param {string} zoom "fit", or picture's pixels to pixels of the screen */
  zoomTo(zoom) {
    const [x, y] = this.middle();
    this.zoom = zoom;
    for (const button of this.zooms) button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
    this.layOut();
    this.stage.scrollLeft = x * this.sheet.offsetWidth - this.stage.clientWidth / 2;
    this.stage.scrollTop = y * this.sheet.offsetHeight - this.stage.clientHeight / 2;
    this.draw();
  }

  /** What of the photo stands in the middle of the stage, as shares of its width and height. */
  middle() {
    const { offsetWidth, offsetHeight } = this.sheet;
    const x = (this.stage.scrollLeft + this.stage.clientWidth / 2) / Math.max(1, offsetWidth);
    const y = (this.stage.scrollTop + this.stage.clientHeight / 2) / Math.max(1, offsetHeight);
    return [offsetWidth > this.stage.clientWidth ? x : 0.5, offsetHeight > this.stage.clientHeight ? y : 0.5];
  }

  layOut() {
    const [width, height] = [this.before.naturalWidth, this.before.naturalHeight];
    if (!width || this.section.hidden) return;
    const across = this.stage.getBoundingClientRect().width;
    this.stage.style.maxHeight = `${Math.max(LEAST, Math.ceil((across * height) / width))}px`;
    const room = this.stage.getBoundingClientRect();
    const real = 1 / devicePixelRatio;
    const scale = this.zoom === "fit" ? Math.min(room.width / width, room.height / height, 1) : Number(this.zoom) * real;
    this.sheet.style.width = `${Math.max(1, Math.floor(width * scale))}px`;
    this.sheet.style.height = `${Math.max(1, Math.floor(height * scale))}px`;
    this.sheet.classList.toggle("enlarged", scale > real);
    this.stage.classList.toggle("large", width * scale > room.width || height * scale > room.height);
    this.draw();
  }

  /** The slider's place on the photo, the strength, and what is shown. */
  draw() {
    const share = Number(this.split.value) / 100;
    const thumb = 8; // a native slider's end positions lie half its thumb inside
    const frame = this.split.clientWidth;
    const at = thumb + share * (frame - 2 * thumb);
    const sheet = this.sheet.getBoundingClientRect();
    const stage = this.stage.getBoundingClientRect();
    const inside = Math.max(0, Math.min(sheet.width, at - (sheet.left - stage.left)));
    const whole = this.difference.checked;
    this.after.style.clipPath = whole ? "none" : `inset(0 0 0 ${inside}px)`;
    this.after.style.opacity = String(Number(this.strength.value) / 100);
    this.line.hidden = whole;
    this.line.style.left = `${at}px`;
    this.stage.classList.toggle("difference", whole);
    this.section.classList.toggle("whole", whole);
    this.split.setAttribute("aria-valuetext", `${this.split.value} % as it was, ${100 - Number(this.split.value)} % restored`);
    this.strengthTold.textContent = `${this.strength.value} %`;
    this.strength.setAttribute("aria-valuetext", `${this.strength.value} %`);
  }

  /** Mouse and arrow keys move the photo; fingers do by themselves. */
  dragged() {
    this.stage.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || event.altKey || event.ctrlKey || event.metaKey || !this.stage.classList.contains("large")) return;
      event.preventDefault();
      this.stage.scrollBy({ left: STEP * arrow[0], top: STEP * arrow[1], behavior: "instant" });
    });
    /** @type {{x: number, y: number, left: number, top: number} | undefined} */
    let from;
    this.stage.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button !== 0 || event.offsetX > this.stage.clientWidth) return;
      from = { x: event.clientX, y: event.clientY, left: this.stage.scrollLeft, top: this.stage.scrollTop };
      this.stage.setPointerCapture(event.pointerId);
    });
    this.stage.addEventListener("pointermove", (event) => {
      if (from) this.stage.scrollTo(from.left - event.clientX + from.x, from.top - event.clientY + from.y);
    });
    for (const end of ["pointerup", "pointercancel"]) this.stage.addEventListener(end, () => (from = undefined));
  }
}
