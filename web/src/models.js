/** The models that the page may use, as its host lists them in models.json. */

/** @typedef {import("./engine/run.js").Card & {kind?: string, summary: string, degradation: string}} Card */
/** @typedef {{name: string, kind?: string, file: string, bytes: number, default?: boolean, words: [string, string][], card: Card}} Model */

const MEDIUM = "image"; // what this page restores; models of other kinds are passed over

/** @returns {Promise<{models: Model[], version: string}>} */
export async function listed() {
  const response = await fetch("models.json").catch(() => null);
  if (!response?.ok) throw new Error("The list of models could not be loaded. Check the network, and load the page again.");
  const told = await response.json();
  const models = /** @type {Model[]} */ (told.models).filter((model) => (model.kind ?? model.card.kind ?? MEDIUM) === MEDIUM);
  if (!models.length) throw new Error("There is no model for photos here.");
  return { models, version: String(told.version ?? "") };
}

/**
 * Let one of the models be chosen, with its card in words.
 * @param {Model[]} models
 * @returns {() => Model} the one that is chosen
 */
export function picker(models) {
  const select = /** @type {HTMLSelectElement} */ (document.getElementById("model"));
  const words = /** @type {HTMLElement} */ (document.getElementById("model-words"));
  const summary = /** @type {HTMLElement} */ (document.getElementById("model-summary"));
  const chosen = () => models[select.selectedIndex];
  select.append(...models.map((model) => new Option(model.name, model.name)));
  select.selectedIndex = Math.max(
    0,
    models.findIndex((model) => model.default),
  );
  const tell = () => {
    const model = chosen();
    summary.textContent = `${model.card.summary.replaceAll("`", "")} ${(model.bytes / 1e6).toFixed(1)} MB.`;
    words.replaceChildren(
      ...model.words.flatMap(([title, text]) => {
        const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
        dt.textContent = title;
        dd.textContent = text;
        return [dt, dd];
      }),
    );
  };
  select.addEventListener("change", tell);
  tell();
  return chosen;
}
