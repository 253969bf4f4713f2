/**
 * `node restore.mjs MODELS.json MODEL.onnx NAME IN OUT …`: the page's way of a photo, in Node instead of a browser. Prints a JSON line for each IN.
 */

import { readFileSync, writeFileSync } from "node:fs";
import * as ort from "../../web/node_modules/onnxruntime-web/dist/ort.node.min.mjs";
import Vips from "../../web/node_modules/wasm-vips/lib/vips-node.mjs";
import { sniff } from "../../web/src/containers/sniff.js";
import { layoutOf } from "../../web/src/engine/channels.js";
import { spanOf } from "../../web/src/engine/range.js";
import { tried } from "../../web/src/engine/trial.js";
import { decoded, encoded, told } from "../../web/src/engine/vips.js";

const [list, file, name, ...paths] = process.argv.slice(2);
const { card } = JSON.parse(readFileSync(list, "utf8")).models.find((model) => model.name === name);
const vips = await Vips({ dynamicLibraries: [] });
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file)), { executionProviders: ["wasm"] });

async function graph(batch, dims) {
  const { restored } = await session.run({ image: new ort.Tensor("float32", batch, dims) });
  return restored.data;
}

/** @param {string} path @param {string} out */
async function restore(path, out) {
  const data = new Uint8Array(readFileSync(path));
  const { format } = sniff(data);
  const photo = told(vips, data, format);
  const before = decoded(vips, data, format);
  const layout = layoutOf(photo.bands, card.channels, photo);
  const span = spanOf(before, layout, format, photo.top);
  const { after, why, taken } = await tried(before, layout, span, card, graph, () => {});
  const coded = after ? encoded(vips, data, photo, after) : { parts: [data], lost: [] };
  writeFileSync(out, Buffer.concat(coded.parts));
  return { status: after ? "restored" : "unchanged", why, taken, lost: coded.lost };
}

for (let at = 0; at < paths.length; at += 2) {
  const told = await restore(paths[at], paths[at + 1]).catch((error) => ({ status: "failed", why: error.message }));
  console.log(JSON.stringify(told));
}
process.exit(0);
