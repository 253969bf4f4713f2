/**
 * Results at full strength, kept on disk (the origin's private file system) where that is possible, so that the memory of many photos stays
 * flat; else in memory. Each tab has a folder of its own, and a lock that tells others that it is in use.
 */

const ROOT = "burnish";

/**
 * Bytes as a Blob that does not take memory, where the disk has room.
 * @param {string} tab
 * @param {string} name
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export async function kept(tab, name, bytes) {
  let folder;
  try {
    const root = await navigator.storage.getDirectory();
    folder = await (await root.getDirectoryHandle(ROOT, { create: true })).getDirectoryHandle(tab, { create: true });
    const file = await folder.getFileHandle(name, { create: true });
    // Only workers have this, and it is the only way that every browser writes.
    const handle = await /** @type {any} */ (file).createSyncAccessHandle();
    try {
      handle.truncate(0);
      if (handle.write(bytes, { at: 0 }) !== bytes.length) throw new Error("the disk is full");
      handle.flush();
    } finally {
      handle.close();
    }
    return await file.getFile();
  } catch {
    await folder?.removeEntry(name).catch(() => undefined);
    return new Blob([bytes]);
  }
}

/** Forget these. @param {string} tab @param {string[]} names */
export async function forgotten(tab, ...names) {
  for (const name of names) {
    try {
      const root = await navigator.storage.getDirectory();
      await (await (await root.getDirectoryHandle(ROOT)).getDirectoryHandle(tab)).removeEntry(name);
    } catch {
      // it was in memory, or is gone
    }
  }
}

/** A name for this tab's folder, which no other tab clears away; folders that closed tabs left are removed. @returns {Promise<string>} */
export async function claimed() {
  const tab = Array.from({ length: 4 }, () => Math.floor(Math.random() * 2 ** 32).toString(36)).join("");
  try {
    await new Promise((resolve) => {
      void navigator.locks.request(lockOf(tab), () => {
        resolve(undefined);
        return new Promise(() => {});
      });
    });
    await swept();
  } catch {
    // no locks or no private file system: results stay in memory
  }
  return tab;
}

async function swept() {
  const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(ROOT, { create: true });
  for await (const name of /** @type {any} */ (root).keys()) {
    await navigator.locks.request(lockOf(name), { ifAvailable: true }, async (lock) => {
      if (lock) await root.removeEntry(name, { recursive: true }).catch(() => undefined);
    });
  }
}

/** @param {string} tab */
function lockOf(tab) {
  return `burnish-${tab}`;
}
