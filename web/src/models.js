/** The models that the page may use, as its host lists them in models.json. */

/** @typedef {import("./engine/run.js").Card & {kind?: string, summary: string, degradation: string}} Card */
/** @typedef {{name: string, kind?: string, file: string, bytes: number, default?: boolean, words: [string, string][], card: Card}} Model */
/** What a model restores; others are passed over. @typedef {"image" | "audio"} Kind */

/** @returns {Promise<{models: Record<Kind, Model[]>, version: string}>} */
export async function listed() {
  const response = await fetch("models.json").catch(() => null);
  if (!response?.ok) throw new Error("The list of models could not be loaded. Check the network, and load the page again.");
  const told = await response.json();
  /** @param {Kind} kind */
  const of = (kind) => /** @type {Model[]} */ (told.models).filter((model) => (model.kind ?? model.card.kind ?? "image") === kind);
  const models = { image: of("image"), audio: of("audio") };
  if (!models.image.length && !models.audio.length) throw new Error("There is no model here.");
  return { models, version: String(told.version ?? "") };
}

/**
 * Let one of the models be chosen, with its card in words, in the part of the page that has this id; without models that part is hidden.
 * @param {Model[]} models
 * @param {string} id
 * @returns {() => Model | undefined} the one that is chosen
 */
export function picker(models, id) {
  /** @param {string} selector @returns {HTMLElement} */
  const part = (selector) => /** @type {HTMLElement} */ (document.querySelector(`#${id} ${selector}`));
  const select = /** @type {HTMLSelectElement} */ (part("select"));
  const chosen = () => models[select.selectedIndex];
  /** @type {HTMLElement} */ (document.getElementById(id)).hidden = !models.length;
  if (!models.length) return () => undefined;
  select.append(...models.map((model) => new Option(model.name, model.name)));
  select.selectedIndex = Math.max(
    0,
    models.findIndex((model) => model.default),
  );
  const tell = () => {
    const model = chosen();
    part(".summary").textContent = `${model.card.summary.replaceAll("`", "")} ${(model.bytes / 1e6).toFixed(1)} MB.`;
    part("dl").replaceChildren(
      ...model.words.flatMap(([title, text], at) => {
        const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
        dt.textContent = title;
        dd.textContent = text;
        return title === model.words[at - 1]?.[0] ? [dd] : [dt, dd];
      }),
    );
  };
  select.addEventListener("change", tell);
  tell();
  return chosen;
}
