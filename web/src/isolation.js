/**
 * libvips needs memory that threads share, which browsers give to isolated pages only: the server says so in headers, and where it
 * cannot, a service worker adds them. It also lets the page work without a network once it has been used.
 */

const TRIED = "burnish-isolating";

/** Whether the page is isolated; where a service worker can bring that about, the page loads once more. @returns {Promise<boolean>} */
export async function isolated() {
  if (globalThis.crossOriginIsolated) {
    remember(false);
    return true;
  }
  if (!globalThis.isSecureContext || !navigator.serviceWorker) return false;
  try {
    await registered();
    await navigator.serviceWorker.ready;
  } catch {
    return false;
  }
  if (!remember(true)) return false;
  location.reload();
  return new Promise(() => {});
}

/** Let the page work without a network. */
export async function registered() {
  await navigator.serviceWorker?.register("sw.js", { updateViaCache: "none" });
}

/** Note that the page loads again for this; false when it did so before, or nothing can be noted. @param {boolean} again */
function remember(again) {
  try {
    if (!again) sessionStorage.removeItem(TRIED);
    else if (sessionStorage.getItem(TRIED)) return false;
    else sessionStorage.setItem(TRIED, "1");
    return true;
  } catch {
    return false;
  }
}
