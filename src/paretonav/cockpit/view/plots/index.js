// Holds the place of the plots.

/** Charts of the visited points below `root`. */
export function createPlots(root) {
  const text = document.createElement("p");
  root.append(text);
  let points = 0;
  return {
    update(shown) {
      points = shown.points?.parent.length ?? 0;
      text.textContent = `${points} points`;
    },
    ghost(ghost) {
      text.textContent = `${points} points${ghost ? `, asked for ${ghost.train.map((v) => v.toPrecision(3)).join(", ")}` : ""}`;
    },
    destroy() {
      text.remove();
    },
  };
}
