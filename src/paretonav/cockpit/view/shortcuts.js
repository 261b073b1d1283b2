// @ts-check
// Shortcuts of the whole cockpit, heard only while the focus is inside it.

const TEXTUAL = ["text", "number", "search", "email", "url"];

/**
 * Listen below `root` for step, cancel and undo; each of `on` returns whether it did something.
 * @param {HTMLElement} root
 * @param {{ step(): boolean, cancel(): boolean, undo(): boolean }} on
 */
export function listenForShortcuts(root, on) {
  root.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    const control = (event.ctrlKey || event.metaKey) && !event.altKey;
    let done = false;
    if (control && event.key === "Enter") done = on.step();
    else if (event.key === "Escape" && !(/** @type {Element} */ (event.target).closest("dialog"))) done = on.cancel();
    else if (control && !event.shiftKey && event.key.toLowerCase() === "z" && !isTyping(event.target)) done = on.undo();
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return (
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLElement && target.isContentEditable) ||
    (target instanceof HTMLInputElement && TEXTUAL.includes(target.type))
  );
}
