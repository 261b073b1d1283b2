// A picture of what a part of the page draws: its canvases and SVGs, each where it stands.

const STYLES = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "opacity", "fill-opacity",
  "stroke-opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline", "visibility", "display",
  "paint-order"];

/** A PNG of the visible canvases and SVGs below `root`, at twice the size; null if there is nothing to draw. */
export async function drawPicture(root, background) {
  const frame = root.getBoundingClientRect();
  const drawn = [...root.querySelectorAll("canvas, svg")].filter(
    (element) => !element.parentElement.closest("svg") && element.getBoundingClientRect().width > 40,
  );
  if (drawn.length === 0 || frame.width === 0) return null;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(2 * frame.width);
  canvas.height = Math.round(2 * frame.height);
  const brush = canvas.getContext("2d");
  brush.scale(2, 2);
  brush.fillStyle = background;
  brush.fillRect(0, 0, frame.width, frame.height);
  for (const element of drawn) {
    const box = element.getBoundingClientRect();
    const image = element instanceof HTMLCanvasElement ? element : await imageOf(element, box);
    brush.drawImage(image, box.left - frame.left, box.top - frame.top, box.width, box.height);
  }
  return new Promise((resolve) => {
    canvas.toBlob(resolve, "image/png");
  });
}

async function imageOf(svg, box) {
  const copy = svg.cloneNode(true);
  // Styles come from sheets that an image does not see.
  const originals = [svg, ...svg.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((element, i) => {
    const style = getComputedStyle(originals[i]);
    element.setAttribute("style", STYLES.map((name) => `${name}:${style.getPropertyValue(name)}`).join(";"));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", 2 * box.width);
  copy.setAttribute("height", 2 * box.height);
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  return image;
}
