// @ts-check
// What is being done for whom, what has been asked for and not begun, and what went wrong.

/** @import { Command, Job, Maybe, Model, More } from "./types.js" */

import { onceQuiet } from "./frames.js";

const BRIEF = 200; // ms: what is over sooner needs no progress
const PATIENCE = 6000; // ms after which a request that nobody took up is forgotten
/** @type {Partial<Record<Job["what"], string>>} */
const DOING = { start: "The start", step: "The step", undo: "Undo", go: "Going there", cover: "Spreading models out", visit: "Going there", route: "Looking there" };

/**
 * Requests over a steering's client; `changed()` when usable things become unusable or the other way round.
 * @param {Model} model
 * @param {{ by: string, request(cmd: Command, current: number | null, more: More): number }} client
 * @param {{ changed(): void, failed(text: string): void, ended(job: Job): void }} on
 */
export function createJobs(model, client, { changed, failed, ended }) {
  /** @type {number | null} */
  let waiting = null; // number of the request that has not become a job yet
  let seen = keyOf(model.get("job"));
  const forget = onceQuiet(() => {
    waiting = null;
    changed();
  }, PATIENCE);
  let since = -Infinity; // what runs already when a view opens is shown at once: its next news may take a while
  const notice = onceQuiet(changed, BRIEF + 20);
  const heard = () => {
    const job = model.get("job");
    if (!job) return;
    const mine = job.by === client.by;
    if (mine && waiting !== null && Number(job.seq) >= waiting) {
      waiting = null;
      forget.cancel();
    }
    const key = keyOf(job);
    if (job.status === "running" && key !== seen) {
      since = performance.now();
      notice();
    }
    if (key !== seen && job.status !== "running") {
      // What another view was refused is its own affair; that a job failed concerns all.
      if (job.status === "failed" || (job.status === "refused" && mine)) failed(wordsOf(job));
      ended(job);
    }
    seen = key;
    changed();
  };
  model.on("change:job", heard);

  return {
    get busy() {
      return waiting !== null || model.get("job")?.status === "running";
    },
    get running() {
      return model.get("job")?.status === "running";
    },
    /** Whether what runs is worth a progress bar by now. */
    get visible() {
      const job = model.get("job");
      return job?.status === "running" && (job.what === "start" || performance.now() - since > BRIEF);
    },
    /**
     * Ask for something; what changes the current point blocks other such requests until it is taken up.
     * @param {Command} cmd
     * @param {More} more
     */
    request(cmd, more = {}, blocking = false) {
      const seq = client.request(cmd, model.get("state")?.current ?? null, more);
      if (blocking) {
        waiting = seq;
        forget();
        changed();
      }
      return seq;
    },
    moved() {
      waiting = null;
    },
    destroy() {
      forget.cancel();
      notice.cancel();
      model.off("change:job", heard);
    },
  };
}

/** @param {Maybe<Job>} job */
function keyOf(job) {
  return job ? `${job.id}:${job.status}:${job.seq}` : "";
}

/** @param {Job} job */
function wordsOf(job) {
  const what = DOING[job.what] ?? "";
  if (job.message) return what && job.status === "failed" ? `${what} failed: ${job.message}` : job.message;
  return `${what || "That"} ${job.status === "failed" ? "failed" : "was refused"}, and no reason was given.`;
}
