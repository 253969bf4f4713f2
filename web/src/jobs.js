/**
 * Files one after another through a worker. A worker that has done its share is thrown away, since the memory of WebAssembly never
 * shrinks; so is one whose job is cancelled, which ends it at once.
 */

/** @typedef {import("./models.js").Model} Model */
/** The models that are chosen, by what they restore. @typedef {{image?: Model, audio?: Model}} Models */
/** @typedef {{type: "restore", id: string, tab: string, file: File, models: Models, force: boolean}} Restore */
/** @typedef {{type: "encode", id: string, file: File, full: Blob, strength: number}} Encode */
/**
 * `size`: how large or long it is, in words; `pixels`: how much of a worker's share it takes; `result`: the restored file; `full`: at full
 * strength, the samples of a photo, or a recording's file; `lost`: what it lacks; `shown`: pictures for formats that browsers do not show;
 * `taken`: a recording of what was taken away.
 * @typedef {{kind: "image" | "audio", status: "restored" | "unchanged", ending: string, notes: string[], lost: string[],
 *   size: string, pixels: number, seconds: number,
 *   result: Blob, full?: Blob, shown?: {before: Blob, after: Blob}, taken?: Blob}} Outcome
 */
/**
 * @typedef {{type: "progress", id: string, share: number} | {type: "done", id: string, outcome: any} |
 *   {type: "failed", id: string, why: string, harmless?: boolean}} Message
 */
/**
 * @typedef {{post: (message: any) => void,
 *   listen: (heard: (message: Message) => void, broken: (why: string) => void) => void, end: () => void}} Line
 */

const JOBS = 8; // that a worker does before it is thrown away
const PIXELS = 6e6; // that it restores before it is thrown away

export class Cancelled extends Error {}

/** @returns {Line} */
export function worker() {
  const made = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  return {
    post: (message) => made.postMessage(message),
    listen: (heard, broken) => {
      made.addEventListener("message", (event) => heard(event.data));
      made.addEventListener("error", (event) => {
        event.preventDefault();
        broken(event.message || "the part of this page that restores could not be loaded");
      });
      made.addEventListener("messageerror", () => broken("a message could not be read"));
    },
    end: () => made.terminate(),
  };
}

export class Jobs {
  /** @param {() => Line} [open] */
  constructor(open = worker) {
    this.open = open;
    /**
     * @type {{job: Restore | Encode, resolve: (outcome: any) => void, reject: (error: Error) => void, advance: (share: number) => void}[]}
     */
    this.waiting = [];
    /** @type {Jobs["waiting"][0] | undefined} */
    this.running = undefined;
    /** @type {Line | undefined} */
    this.line = undefined;
    this.done = 0;
    this.pixels = 0;
  }

  /**
   * What becomes of a job; rejects with an Error that says why, or Cancelled. Of an encoding only the last one asked for a photo is done.
   * @param {Restore | Encode} job
   * @param {(share: number) => void} [advance] is told how far it is, 0 when it begins
   * @returns {Promise<any>}
   */
  add(job, advance = () => {}) {
    return new Promise((resolve, reject) => {
      if (job.type === "encode") {
        this.cancel(({ id, type }) => type === "encode" && id === job.id);
        this.waiting.unshift({ job, resolve, reject, advance });
      } else this.waiting.push({ job, resolve, reject, advance });
      this.next();
    });
  }

  /** @param {(job: Restore | Encode) => boolean} which */
  cancel(which) {
    const ended = this.waiting.filter(({ job }) => which(job));
    this.waiting = this.waiting.filter((each) => !ended.includes(each));
    if (this.running && which(this.running.job)) {
      ended.push(this.running);
      this.running = undefined;
      this.recycle();
    }
    for (const { reject } of ended) reject(new Cancelled("cancelled"));
    this.next();
  }

  /** Throw the worker away; the next job gets a new one. */
  recycle() {
    this.line?.end();
    this.line = undefined;
    this.done = 0;
    this.pixels = 0;
  }

  next() {
    if (this.running || !this.waiting.length) return;
    const next = /** @type {Jobs["waiting"][0]} */ (this.waiting.shift());
    this.running = next;
    try {
      if (!this.line) {
        const line = this.open();
        this.line = line;
        line.listen(
          (message) => this.line === line && this.heard(message),
          (why) => this.line === line && this.finish((job) => job.reject(new Error(why)), true),
        );
      }
      next.advance(0);
      this.line.post(next.job);
    } catch (error) {
      this.finish((job) => job.reject(error instanceof Error ? error : new Error(String(error))), true);
    }
  }

  /** @param {Message} message */
  heard(message) {
    if (!this.running || message.id !== this.running.job.id) return;
    if (message.type === "progress") this.running.advance(message.share);
    else if (message.type === "failed") this.finish((job) => job.reject(new Error(message.why)), !message.harmless);
    else {
      const { outcome } = message;
      this.done += 1;
      this.pixels += outcome.pixels ?? 0;
      this.finish((job) => job.resolve(outcome), this.done >= JOBS || this.pixels >= PIXELS);
    }
  }

  /** @param {(job: Jobs["waiting"][0]) => void} tell @param {boolean} recycle */
  finish(tell, recycle) {
    const job = this.running;
    this.running = undefined;
    if (recycle) this.recycle();
    if (job) tell(job);
    this.next();
  }
}
