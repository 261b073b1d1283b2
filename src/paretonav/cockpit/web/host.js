// The page around the view: a model like anywidget's over one WebSocket, and a bar that tells when the line is lost.

const ENDED = 4000; // the code with which the server closes when it ends
const FIRST_WAIT = 300; // ms until the first new try; then longer and longer
const LONGEST_WAIT = 10_000;
const UNNOTICED = 400; // ms for which a lost connection is nobody's business
const SILENCE = 45_000; // ms without a word after which a connection is dead: the server says something every 15 s
const LARGEST = 64 * 1024; // characters of a message
const MOST_UNHEARD = 20; // requests that wait for a connection

const WORDS = {
  lost: "Connection lost; trying again.",
  ended: "The cockpit has ended where it was started. If it is started again with the same token and port, this page goes on.",
  refused: "The cockpit was started anew. Open the address that it printed.",
};

/** Values by name, as views know them from anywidget; `said(name, value)` hears what a view wants Python to know. */
export function createModel(said) {
  const values = new Map();
  const listeners = new Map();
  const changed = new Set();
  const put = (name, value) => {
    if (isSame(values.get(name), value)) return false;
    values.set(name, value);
    for (const listener of [...(listeners.get(`change:${name}`) ?? [])]) {
      try {
        listener(value);
      } catch (error) {
        reportError(error); // one that fails keeps the others from nothing
      }
    }
    return true;
  };
  const model = {
    get: (name) => values.get(name),
    set(name, value) {
      if (put(name, value)) changed.add(name);
    },
    save_changes() {
      const names = [...changed];
      changed.clear();
      for (const name of names) said(name, values.get(name));
    },
    on(event, listener) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(listener);
    },
    off(event, listener) {
      if (listener) listeners.get(event)?.delete(listener);
      else listeners.delete(event);
    },
  };
  return { model, put };
}

/** What was said and not acknowledged: said again on a new connection, which the server takes once. */
export function createUnheard() {
  let steer = null; // only the newest counts
  let latest = null; // heard or not: a server that was started anew has not heard it
  const requests = [];
  return {
    add(name, value) {
      if (name === "steer") steer = latest = value;
      else requests.push(value);
      if (requests.length > MOST_UNHEARD) requests.shift();
    },
    heard({ what, seq }) {
      if (what === "steer" && steer?.seq === seq) steer = null;
      const at = what === "request" ? requests.findIndex((request) => request.seq === seq) : -1;
      requests.splice(0, at + 1); // they arrive in order
    },
    get steers() {
      return steer !== null;
    },
    /** What to say to a server that knows `known` as the newest steer. */
    again(known) {
      const newest = steer ?? (known ? null : latest);
      return [...(newest ? [["steer", newest]] : []), ...requests.map((request) => ["request", request])];
    },
  };
}

/** A line to the server that mends itself: `heard(message)`, and `changed(status)`: "open", "lost", "ended", "refused". */
export function createLine(heard, changed) {
  let socket = null;
  let wait = FIRST_WAIT;
  let status = "";
  let again = 0;
  let silence = 0;
  const tell = (now) => {
    if (now !== status) changed((status = now));
  };
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => drop(), SILENCE);
  };
  const drop = () => {
    const old = socket;
    socket = null;
    old?.close();
    retry("lost");
  };
  const retry = (why) => {
    clearTimeout(silence);
    clearTimeout(again);
    tell(why);
    again = setTimeout(connect, wait * (0.7 + 0.6 * Math.random())); // not all tabs at once
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
  const connect = () => {
    clearTimeout(again);
    const url = new URL("channel", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const mine = (socket = new WebSocket(url));
    let greeted = false;
    mine.onmessage = ({ data }) => {
      if (socket !== mine) return;
      alive();
      const message = JSON.parse(data);
      if (!greeted) {
        greeted = true;
        wait = FIRST_WAIT;
        tell("open");
      }
      heard(message);
    };
    mine.onclose = async ({ code }) => {
      if (socket !== mine) return;
      socket = null;
      // A socket that was refused does not tell why; a page that is refused does.
      const refused = !greeted && (await isRefused());
      if (socket === null) retry(code === ENDED || (!greeted && !refused && status === "ended") ? "ended" : refused ? "refused" : "lost");
    };
  };
  return {
    connect,
    /** Try at once. */
    now() {
      if (socket === null) connect();
    },
    say(name, value) {
      const text = JSON.stringify({ [name]: value });
      if (text.length > LARGEST) console.warn(`A ${name} of ${text.length} characters is too long to be sent.`);
      else if (socket?.readyState === WebSocket.OPEN && status === "open") socket.send(text);
    },
  };
}

/** A bar at the bottom of the page, there only as long as there is something to say. */
export function createBar(retry) {
  const bar = document.createElement("div");
  const text = document.createElement("p");
  const button = document.createElement("button");
  let soon = 0;
  bar.className = "host-bar";
  bar.setAttribute("role", "status");
  button.type = "button";
  button.textContent = "Try now";
  button.addEventListener("click", retry);
  bar.append(text, button);
  return (words) => {
    clearTimeout(soon);
    if (words === "") {
      bar.remove();
    } else {
      soon = setTimeout(() => {
        document.body.append(bar);
        text.textContent = words; // after it is there, so that it is read out
      }, UNNOTICED);
    }
  };
}

/** Show the view in `main`. */
export function start(main) {
  const unheard = createUnheard();
  const { model, put } = createModel((name, value) => {
    unheard.add(name, value);
    line.say(name, value);
  });
  let shown = false;
  let greeted = false; // on this connection
  const heard = ({ received, ignored, ...traits }) => {
    if (received) unheard.heard(received);
    if (ignored) console.warn(`The cockpit did not understand: ${ignored}`);
    const first = !greeted && "state" in traits;
    const own = first ? unheard.again(traits.steer) : [];
    if (unheard.steers && first) delete traits.steer; // what was said here meanwhile is newer
    for (const [name, value] of Object.entries(traits)) put(name, value);
    if (!first) return;
    greeted = true;
    for (const [name, value] of own) line.say(name, value);
    if (!shown) {
      shown = true;
      show(model, main);
    }
  };
  const line = createLine(heard, (status) => {
    greeted = false;
    bar(WORDS[status] ?? "");
  });
  const bar = createBar(() => line.now());
  model.on("change:state", () => {
    const { title } = model.get("state") ?? {};
    document.title = title ? `${title} – paretonav` : "Cockpit – paretonav";
  });
  addEventListener("online", () => line.now());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) line.now();
  });
  line.connect();
}

async function show(model, main) {
  try {
    const { default: view } = await import("./cockpit.js");
    main.replaceChildren();
    await view.render({ model, el: main });
  } catch (error) {
    const note = document.createElement("p");
    note.className = "host-note";
    note.textContent = `The view could not be shown: ${error}. Reload the page; if that does not help, install paretonav anew.`;
    main.replaceChildren(note);
    reportError(error);
  }
}

/** Whether the server answers and says that this browser may not come in. */
async function isRefused() {
  try {
    return (await fetch("host.js", { cache: "no-store" })).status === 403;
  } catch {
    return false;
  }
}

/** Whether two values are the same, as JSON. */
function isSame(a, b) {
  return a === b || (a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b));
}

start(document.querySelector("main"));
