// @ts-check
// Light or dark: what the notebook says, else what the editor says, else what the system says.

/**
 * Keep `root.dataset.theme` at "light" or "dark"; returns how to stop.
 * @param {HTMLElement} root
 * @param {() => void} onChange
 */
export function followTheme(root, onChange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = isDark(system) ? "dark" : "light";
    if (root.dataset.theme === theme) return;
    root.dataset.theme = theme;
    onChange();
  };
  const watcher = new MutationObserver(apply);
  for (const target of [document.documentElement, document.body]) {
    watcher.observe(target, { attributes: true, attributeFilter: ["class", "data-jp-theme-light", "data-theme"] });
  }
  system.addEventListener("change", apply);
  apply();
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", apply);
  };
}

/** @param {MediaQueryList} system */
function isDark(system) {
  const jupyter = document.querySelector("[data-jp-theme-light]");
  if (jupyter) return jupyter.getAttribute("data-jp-theme-light") === "false";
  const editor = document.body.classList;
  if (editor.contains("vscode-light") || editor.contains("vscode-high-contrast-light")) return false;
  if (editor.contains("vscode-dark") || editor.contains("vscode-high-contrast")) return true;
  const named = document.documentElement.dataset.theme ?? document.body.dataset.theme;
  if (named === "dark" || named === "light") return named === "dark";
  return system.matches;
}
