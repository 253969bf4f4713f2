/**
 * The page's files, into the wheel's package: the sources as they are, what npm installed of ONNX Runtime Web and wasm-vips, and the
 * licences of everything. `node build.mjs --check` says whether what is there is what would be built.
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const TARGET = join(HERE, "python", "burnish_web", "page");
const MODULES = join(HERE, "node_modules");
const VENDOR = {
  "ort.wasm.min.mjs": "onnxruntime-web/dist/ort.wasm.min.mjs",
  "ort-wasm-simd-threaded.mjs": "onnxruntime-web/dist/ort-wasm-simd-threaded.mjs",
  "ort-wasm-simd-threaded.wasm": "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  "vips-es6.js": "wasm-vips/lib/vips-es6.js",
  "vips.wasm": "wasm-vips/lib/vips.wasm",
};

/** The policy of the page; that of the worker differs, since the glue of wasm-vips makes functions of text. @param {string} evaluation */
const policy = (evaluation) =>
  [
    "default-src 'none'",
    `script-src 'self' ${evaluation}`,
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src blob:",
    "connect-src 'self' blob:",
    "worker-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

const ISOLATING = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
};
const ORIGIN = "; frame-ancestors 'none'";
const HEADERS = {
  page: { ...ISOLATING, "Content-Security-Policy": policy("'wasm-unsafe-eval'") + ORIGIN },
  worker: { ...ISOLATING, "Content-Security-Policy": policy("'wasm-unsafe-eval' 'unsafe-eval'") + ORIGIN },
  workers: ["worker.js", "vendor/"],
};

/** Every file below a folder, as paths with slashes. @param {string} folder @param {string} [below] @returns {string[]} */
function tree(folder, below = "") {
  return readdirSync(join(folder, below), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? tree(folder, `${below}${entry.name}/`) : [`${below}${entry.name}`]))
    .sort();
}

/** The licence of an npm package, and the notices that come with it. @param {string} name */
function licence(name) {
  const folder = join(MODULES, name);
  const { version, license, homepage, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const texts = ["LICENSE", "LICENSE.txt", "THIRD-PARTY-NOTICES.md"].filter((file) => existsSync(join(folder, file)));
  const where = homepage ?? repository?.url ?? "";
  return [`${name} ${version} (${license}) ${where}`, ...texts.map((file) => readFileSync(join(folder, file), "utf8").trim())].join("\n\n");
}

function licences() {
  const own = readFileSync(join(HERE, "..", "LICENSE"), "utf8").trim();
  /** Texts that the packages do not hold. @param {string[]} names */
  const texts = (...names) => names.map((name) => readFileSync(join(HERE, "licences", name), "utf8").trim());
  const parts = [
    `Burnish (MIT)\n\n${own}`,
    [licence("onnxruntime-web"), ...texts("onnxruntime.txt", "onnxruntime-third-party.txt")].join("\n\n"),
    [licence("wasm-vips"), ...texts("lgpl-3.txt", "gpl-3.txt")].join("\n\n"),
  ];
  return `${parts.join(`\n\n${"=".repeat(80)}\n\n`)}\n\nThe models' licences stand on their cards, in models.json.\n`;
}

/** @returns {Map<string, Buffer>} */
function built() {
  const files = new Map(Object.entries(VENDOR).map(([name, path]) => [`vendor/${name}`, readFileSync(join(MODULES, path))]));
  for (const path of tree(join(HERE, "src"))) {
    if (!path.startsWith("vendor/")) files.set(path, readFileSync(join(HERE, "src", path)));
  }
  files.set("licences.txt", Buffer.from(licences()));
  files.set("headers.json", Buffer.from(`${JSON.stringify(HEADERS, null, 2)}\n`));
  const hash = createHash("sha256");
  for (const [path, data] of [...files].sort()) hash.update(path).update("\0").update(data);
  const build = hash.digest("hex").slice(0, 16);
  /** @param {string} path @param {Record<string, string>} values */
  const fill = (path, values) => {
    let text = String(files.get(path));
    for (const [name, value] of Object.entries(values)) text = text.replaceAll(name, value);
    files.set(path, Buffer.from(text));
  };
  const page = ["./", ...files.keys()].filter((path) => !/^(vendor\/|licences|headers|sw\.js)/.test(path));
  fill("sw.js", { __BUILD__: build, '"__HEADERS__"': JSON.stringify(HEADERS), '"__PAGE__"': JSON.stringify([...page, "models.json"]) });
  fill("index.html", { __CSP__: policy("'wasm-unsafe-eval'") });
  const sums = [...files].map(([path, data]) => [path, createHash("sha256").update(data).digest("hex")]).sort();
  files.set("build.json", Buffer.from(`${JSON.stringify({ build, files: Object.fromEntries(sums) }, null, 2)}\n`));
  return files;
}

const files = built();
if (process.argv.includes("--check")) {
  const there = existsSync(TARGET) ? tree(TARGET) : [];
  const wrong = [...new Set([...there, ...files.keys()])].filter(
    (path) => !files.get(path)?.equals(existsSync(join(TARGET, path)) ? readFileSync(join(TARGET, path)) : Buffer.alloc(0)),
  );
  if (wrong.length) {
    console.error(`not what the sources make: ${wrong.join(", ")}; run make page`);
    process.exit(1);
  }
} else {
  rmSync(TARGET, { recursive: true, force: true });
  for (const [path, data] of files) {
    mkdirSync(dirname(join(TARGET, path)), { recursive: true });
    writeFileSync(join(TARGET, path), data);
  }
  const bytes = [...files.values()].reduce((sum, data) => sum + data.length, 0);
  console.log(`${files.size} files, ${(bytes / 1e6).toFixed(1)} MB in ${TARGET}`);
}
