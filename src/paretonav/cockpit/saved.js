// The model of a saved page: the traits are in the page, and answers to what-if come from outlooks that were saved with
// it. It is put behind the view, in a block of its own (saved.py), so `$view` is the view.

const NO_ANSWER = "This saved page has no answer to that combination. It knows those of improve and hold; for others, open the navigation itself.";
const NO_PYTHON = "This is a saved page, from which nothing can be carried out; open the navigation itself for that.";

/** Answers by what is asked for of each quantity, in the order of the quantities. */
function createOutlooks(saved) {
  const known = new Map(saved.map(([modes, outlook]) => [JSON.stringify(modes), outlook]));
  return (modes, quantities) => {
    const asked = [];
    for (const { name } of quantities) {
      const mode = Object.hasOwn(modes, name) ? modes[name].mode : "free";
      if (mode !== "free") asked.push([name, mode]);
    }
    const nothing = { asked: "", problem: "", inputs: [], reach: quantities.map(() => null), map: null };
    return known.get(JSON.stringify(asked)) ?? (asked.length ? { ...nothing, problem: NO_ANSWER } : nothing);
  };
}

/** What anywidget gives to a view in a notebook, as far as this view uses it. */
function createModel(traits, outlookOf) {
  const values = new Map(Object.entries(traits));
  const listeners = new Map();
  const changed = new Set();

  const put = (name, value) => {
    if (values.get(name) === value) return;
    values.set(name, value);
    for (const listener of [...(listeners.get(`change:${name}`) ?? [])]) listener();
  };
  const answer = () => {
    const state = values.get("state");
    if (changed.delete("steer")) {
      const { by, seq, point, modes } = values.get("steer");
      if (point === state.current) {
        const alone = values.get("outlook")?.alone ?? null; // of this point, whatever is asked for
        put("outlook", { ...outlookOf(modes, state.quantities), alone, by, seq, point, modes, exact: null });
      }
    }
    if (changed.delete("request")) {
      const { by, seq, cmd } = values.get("request");
      put("job", { id: seq, what: cmd, status: "refused", by, seq, message: NO_PYTHON });
    }
  };
  return {
    get: (name) => values.get(name) ?? null,
    set(name, value) {
      changed.add(name);
      put(name, value);
    },
    save_changes() {
      queueMicrotask(answer); // as everywhere, the answer comes later
    },
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off(event, listener) {
      listeners.get(event)?.delete(listener);
    },
  };
}

const saved = JSON.parse(document.getElementById("saved").textContent);
$view.render({ model: createModel(saved.traits, createOutlooks(saved.outlooks)), el: document.querySelector("main") });
