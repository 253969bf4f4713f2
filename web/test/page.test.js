import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancelled, Jobs } from "../src/jobs.js";
import { tooLarge } from "../src/limits.js";
import { Unique, resultName, safe, safeFolders } from "../src/names.js";
import { hidden } from "../src/drop.js";
import { zipped } from "../src/zip.js";
import { view } from "../src/containers/bytes.js";

test("names lead nowhere and are names on every system", () => {
  for (const [name, wanted] of [
    ["../../etc/passwd", "passwd"],
    ["C:\\up.png", "up.png"],
    ["con.jpg", "_con.jpg"],
    ["a<b>:\u202egpj.exe", "a_b___gpj.exe"],
    ["..", "photo"],
    ["a. ", "a"],
    [".x.png", "_x.png"],
  ]) {
    assert.equal(safe(name), wanted);
  }
  assert.equal(resultName("a.tar.jpg", "jpg"), "a.tar-restored.jpg");
  assert.equal(resultName("photo", "png"), "photo-restored.png");
  assert.ok(resultName(`${"x".repeat(500)}.jpg`, "jpg").length < 140);
  assert.deepEqual(safeFolders("../a/./b:c/d.jpg"), ["a", "b_c"]);
});

test("the second of the same name gets a number", () => {
  const unique = new Unique();
  assert.deepEqual(
    ["a/b.jpg", "A/B.jpg", "a/b.jpg", "b"].map((name) => unique.of(name)),
    ["a/b.jpg", "A/B (2).jpg", "a/b (3).jpg", "b"],
  );
});

test("files that systems put into folders are passed over", () => {
  assert.deepEqual([".DS_Store", "._a.jpg", "Thumbs.db", "a.jpg"].map(hidden), [true, true, true, false]);
});

test("a ZIP's directory tells where its files are", async () => {
  const blob = await zipped([
    { name: "ü/a.txt", blob: new Blob(["hello"]), time: Date.UTC(2026, 0, 2) },
    { name: "b", blob: new Blob([""]) },
  ]);
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const end = view(bytes.subarray(-22));
  assert.equal(end.getUint32(0, true), 0x06054b50);
  assert.equal(end.getUint16(10, true), 2);
  const directory = view(bytes.subarray(end.getUint32(16, true)));
  assert.equal(directory.getUint32(16, true), 0x3610a686); // the checksum of "hello"
  assert.equal(directory.getUint32(42, true), 0);
});

test("large photos are refused with their size, 24 megapixels are not", () => {
  const photo = { width: 6000, height: 4000, bands: 3, bytes: 1 };
  assert.equal(tooLarge(photo, 20e6), undefined);
  assert.equal(tooLarge({ ...photo, bytes: 2 }, 144e6), undefined);
  assert.match(tooLarge({ ...photo, width: 60000 }, 20e6) ?? "", /240 megapixels.*GB/);
});

/** Workers that answer when they are told to. */
function workers() {
  /** @type {{posted: any[], heard: (message: any) => void, broken: (why: string) => void, ended: boolean}[]} */
  const made = [];
  const open = () => {
    const line = {
      posted: /** @type {any[]} */ ([]),
      heard: (/** @type {any} */ _) => {},
      broken: (/** @type {string} */ _) => {},
      ended: false,
    };
    made.push(line);
    return {
      post: (/** @type {any} */ message) => void line.posted.push(message),
      listen: (/** @type {(message: any) => void} */ heard, /** @type {(why: string) => void} */ broken) =>
        Object.assign(line, { heard, broken }),
      end: () => void (line.ended = true),
    };
  };
  return { made, jobs: new Jobs(open) };
}

/** @param {string} id @returns {any} */
const job = (id) => ({ type: "restore", id });

test("photos go one after another through one worker", async () => {
  const { made, jobs } = workers();
  const shares = /** @type {number[]} */ ([]);
  const [one, two] = [jobs.add(job("1"), (share) => shares.push(share)), jobs.add(job("2"))];
  assert.equal(made[0].posted.length, 1);
  made[0].heard({ type: "progress", id: "1", share: 0.5 });
  made[0].heard({ type: "done", id: "1", outcome: "first" });
  assert.equal(await one, "first");
  assert.deepEqual(shares, [0, 0.5]);
  made[0].heard({ type: "failed", id: "2", why: "is empty", harmless: true });
  await assert.rejects(two, /is empty/);
  assert.equal(made.length, 1);
  assert.equal(made[0].ended, false);
});

test("cancelling ends the worker, and the next photo gets another", async () => {
  const { made, jobs } = workers();
  const [one, two, three] = ["1", "2", "3"].map((id) => jobs.add(job(id)));
  jobs.cancel(({ id }) => id !== "3");
  await assert.rejects(one, Cancelled);
  await assert.rejects(two, Cancelled);
  assert.ok(made[0].ended);
  made[1].heard({ type: "done", id: "3", outcome: "third" });
  assert.equal(await three, "third");
});

test("a worker that breaks takes one photo with it", async () => {
  const { made, jobs } = workers();
  const [one, two] = [jobs.add(job("1")), jobs.add(job("2"))];
  made[0].broken("out of memory");
  await assert.rejects(one, /out of memory/);
  made[1].heard({ type: "done", id: "2", outcome: "second" });
  assert.equal(await two, "second");
});

test("a worker that has done its share is thrown away", async () => {
  const { made, jobs } = workers();
  for (let count = 0; count < 20; count += 1) {
    const done = jobs.add(job(String(count)));
    made[made.length - 1].heard({ type: "done", id: String(count), outcome: { width: 1000, height: 1000 } });
    await done;
  }
  assert.ok(made.length >= 3);
  assert.ok(made.slice(0, -1).every(({ ended }) => ended));
});

test("of strengths asked for one after another the last is what comes", async () => {
  const { made, jobs } = workers();
  const running = jobs.add(job("1"));
  const [first, last] = [0.4, 0.5].map((strength) => jobs.add(/** @type {any} */ ({ type: "encode", id: "0", strength })));
  await assert.rejects(first, Cancelled);
  made[0].heard({ type: "done", id: "1", outcome: {} });
  await running;
  assert.equal(made[0].posted[1].strength, 0.5);
  made[0].heard({ type: "done", id: "0", outcome: "half" });
  assert.equal(await last, "half");
});
