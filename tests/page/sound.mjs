/**
 * `node sound.mjs MODEL.onnx STRENGTH FORCE IN OUT …`: the page's way of a recording, in Node instead of a browser. Prints a JSON line for each IN.
 */

import { readFileSync, writeFileSync } from "node:fs";
import * as ort from "../../web/node_modules/onnxruntime-web/dist/ort.node.min.mjs";
import { graphOf } from "../../web/src/sound/graph.js";
import { blended, restored } from "../../web/src/sound/restore.js";
import { told } from "../../web/src/sound/wav.js";

const [file, strength, force, ...paths] = process.argv.slice(2);
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(file)), { executionProviders: ["wasm"] });

/** @param {string} path @param {string} out */
async function restore(path, out) {
  const data = new Uint8Array(readFileSync(path));
  const shares = [];
  const { after, residual, why, taken } = await restored(
    data,
    told(data),
    graphOf(ort, session),
    "speech",
    (share) => shares.push(share),
    force === "true",
  );
  writeFileSync(out, after ? blended(data, after, Number(strength)) : data);
  if (residual) writeFileSync(`${out}.residual.wav`, residual);
  const steady = shares.every((share, at) => share >= (shares[at - 1] ?? 0)) && (!after || shares.at(-1) === 1);
  return { status: after ? "restored" : "unchanged", why, taken, steady };
}

for (let at = 0; at < paths.length; at += 2) {
  const told = await restore(paths[at], paths[at + 1]).catch((error) => ({ status: "failed", why: error.message }));
  console.log(JSON.stringify(told));
}
process.exit(0);
