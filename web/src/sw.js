/**
 * The service worker: adds to every answer the headers that isolate the page and keep it from reaching elsewhere, and keeps the page, and
 * what was loaded beside it, for when there is no network. `vendor/` belongs to the build and is taken from there first; all else is asked
 * for anew.
 */

/** What service workers have and pages do not. @type {any} */
const worker = globalThis;
/** The address that all of the page lies under. @type {string} */
const SCOPE = worker.registration.scope;
const BUILD = "__BUILD__";
const CACHE = `burnish-${SCOPE}-${BUILD}`;
/** @type {{page: Record<string, string>, worker: Record<string, string>, workers: string[]}} */
const HEADERS = /** @type {any} */ ("__HEADERS__");
/** The page's own files: a page that came isolated has loaded them before there was a service worker. @type {string[]} */
const PAGE = /** @type {any} */ ("__PAGE__");

addEventListener("install", (/** @type {any} */ event) => event.waitUntil(installed()));

async function installed() {
  try {
    await (await caches.open(CACHE)).addAll(PAGE.map((path) => new Request(path, { cache: "no-cache" })));
  } catch {
    // the disk may be full, or not to be used: the page works all the same, while there is a network
  }
  await worker.skipWaiting();
}

addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activated()));

async function activated() {
  const own = `burnish-${SCOPE}-`;
  for (const name of await caches.keys()) if (name.startsWith(own) && name !== CACHE) await caches.delete(name);
  await worker.clients.claim();
}

addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(SCOPE)) return;
  event.respondWith(answered(request));
});

/** @param {Request} request */
async function answered(request) {
  const path = new URL(request.url).href.slice(SCOPE.length).replace(/[?#].*$/, "");
  const cache = await caches.open(CACHE).catch(() => null);
  const known = path.startsWith("vendor/") ? await cache?.match(request, { ignoreSearch: true, ignoreVary: true }) : undefined;
  if (known) return dressed(known, path);
  try {
    const response = await fetch(request);
    if (response.ok && response.type === "basic") {
      void cache?.put(request, response.clone()).catch(() => undefined); // the disk may be full
    }
    return dressed(response, path);
  } catch (error) {
    const kept = await cache?.match(request, { ignoreSearch: true, ignoreVary: true });
    if (!kept) throw error;
    return dressed(kept, path);
  }
}

/** @param {Response} response @param {string} path */
function dressed(response, path) {
  if (response.type === "opaque" || response.status === 0) return response;
  const headers = new Headers(response.headers);
  const added = HEADERS.workers.some((start) => path.startsWith(start)) ? HEADERS.worker : HEADERS.page;
  for (const [name, value] of Object.entries(added)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
