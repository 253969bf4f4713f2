/** Photos that are dropped, pasted or chosen, folders with all the folders in them. */

/** A file, and the folders it came in with ("" for none): `holiday/day 1/a.jpg`. @typedef {{file: File, path: string}} Given */

/**
 * Tell `taken` of all that is given to the page.
 * @param {(given: Given[]) => void} taken
 */
export function listen(taken) {
  const area = /** @type {HTMLElement} */ (document.getElementById("choose"));
  for (const id of ["files", "folder"]) {
    const input = /** @type {HTMLInputElement} */ (document.getElementById(id));
    input.addEventListener("change", () => {
      const given = [...(input.files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
      input.value = ""; // the same file may be chosen again
      if (given.length) taken(given);
    });
  }
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    area.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) area.classList.remove("over");
  });
  addEventListener("drop", async (event) => {
    area.classList.remove("over");
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    const given = await dropped(event.dataTransfer);
    if (given.length) taken(given);
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) taken(files.map((file) => ({ file, path: file.name })));
  });
}

/** @param {DataTransfer} transfer @returns {Promise<Given[]>} */
async function dropped(transfer) {
  // Entries have to be asked for before anything is waited for.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => entry !== null && entry !== undefined);
  if (!entries.length) return [...transfer.files].map((file) => ({ file, path: file.name }));
  const found = [];
  for (const entry of entries) found.push(...(await walked(entry, "")));
  return found;
}

/** @param {FileSystemEntry} entry @param {string} folder @returns {Promise<Given[]>} */
async function walked(entry, folder) {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise((resolve) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, () => resolve(undefined)));
    return file && !(folder && hidden(entry.name)) ? [{ file, path }] : [];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (!some.length) break;
    for (const each of some) if (!hidden(each.name)) found.push(...(await walked(each, `${path}/`)));
  }
  return found;
}

/** Whether a file in a folder is one that systems put there for themselves. @param {string} name */
export function hidden(name) {
  return name.startsWith(".") || ["thumbs.db", "desktop.ini"].includes(name.toLowerCase());
}
