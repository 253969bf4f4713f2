/** A model for sound as a function: spectra and the state before them, to filters and the state after them. */

/**
 * @param {any} ort ONNX Runtime Web
 * @param {any} session
 * @returns {import("./stream.js").Graph}
 */
export function graphOf(ort, session) {
  const told = session.inputMetadata.find((/** @type {any} */ each) => each.name === "state");
  const dims = told.shape.map((/** @type {number | string} */ size) => (typeof size === "number" ? size : 1));
  const length = dims.reduce((/** @type {number} */ product, /** @type {number} */ size) => product * size, 1);
  return async (spectra, frames, state) => {
    const spectrum = new ort.Tensor("float32", spectra, [1, frames, spectra.length / (2 * frames), 2]);
    const before = state ?? new ort.Tensor("float32", new Float32Array(length), dims);
    const results = await session.run({ spectrum, state: before }, ["filters", "speech", "after"]);
    const [filters, speech] = [results.filters, results.speech].map((each) => Float32Array.from(each.data));
    const after = new ort.Tensor("float32", Float32Array.from(results.after.data), results.after.dims);
    for (const each of Object.values(results)) each.dispose();
    return { filters, speech, state: after };
  };
}
