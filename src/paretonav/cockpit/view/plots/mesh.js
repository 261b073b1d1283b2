// @ts-check
// The faces of the local front: between its rings, and from the innermost ring to the middle.

const MIDDLE = 0; // the outcome that the rings go around: the current point

/**
 * Index lists, each of a face; none for a curve.
 * @param {{ outcomes: number[][], lines: number[][] }} front
 */
export function facesOf({ outcomes, lines }) {
  const rim = lines?.[0];
  if (!rim || rim.length < 4 || !isRing(rim)) return [];
  const rings = lines.filter((line) => line.length === rim.length && isRing(line));
  const faces = [];
  for (let r = 1; r < rings.length; r += 1) {
    const [outer, inner] = [rings[r - 1], rings[r]];
    for (let k = 1; k < rim.length; k += 1) faces.push([outer[k - 1], outer[k], inner[k], inner[k - 1]]);
  }
  const last = rings.at(-1) ?? rim;
  if (last.includes(MIDDLE)) faces.push(last.slice(1));
  else for (let k = 1; k < last.length; k += 1) faces.push([MIDDLE, last[k - 1], last[k]]);
  return faces.filter((face) => face.every((i) => outcomes[i]));
}

/** @param {number[]} line */
function isRing(line) {
  return line[0] === line.at(-1);
}
