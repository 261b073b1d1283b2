// @ts-check
// Which point is meant.

/**
 * The point nearest to a place on the canvas, within `reach` pixels, or null; `spots` have `stride` numbers each.
 * @param {ArrayLike<number>} spots
 * @param {number} stride
 * @param {number} count
 * @param {number} x
 * @param {number} y
 * @param {number} reach
 */
export function nearestPoint(spots, stride, count, x, y, reach) {
  let best = null;
  let least = reach * reach;
  for (let id = 0; id < count; id += 1) {
    const dx = spots[stride * id] - x;
    const dy = spots[stride * id + 1] - y;
    const far = dx * dx + dy * dy;
    // Of two at one place the later one, which is drawn above; NaN is never near.
    if (far <= least) {
      least = far;
      best = id;
    }
  }
  return best;
}

/**
 * The nearest point in a direction, as arrow keys go: what is aside counts as farther.
 * @param {ArrayLike<number>} spots
 * @param {number} stride
 * @param {number} count
 * @param {number} from
 * @param {number[]} way
 */
export function pointTowards(spots, stride, count, from, [dx, dy]) {
  let best = null;
  let least = Infinity;
  for (let id = 0; id < count; id += 1) {
    const [x, y] = [spots[stride * id] - spots[stride * from], spots[stride * id + 1] - spots[stride * from + 1]];
    const along = x * dx + y * dy;
    const aside = Math.abs(x * dy - y * dx);
    if (id === from || !(along > 0.5)) continue;
    const far = along + 2.5 * aside;
    if (far < least) {
      least = far;
      best = id;
    }
  }
  return best;
}

/**
 * Where a pointer event is on its canvas.
 * @param {MouseEvent} event
 * @returns {[number, number]}
 */
export function placeOf(event) {
  const frame = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
  return [event.clientX - frame.left, event.clientY - frame.top];
}

/**
 * Whether turning the wheel over an element would scroll something around it.
 * @param {Element} element
 */
export function isScrollable(element) {
  for (let at = element.parentElement; at; at = at.parentElement) {
    if (at.scrollHeight <= at.clientHeight + 1) continue;
    if (at === document.scrollingElement || /auto|scroll/.test(getComputedStyle(at).overflowY)) return true;
  }
  return false;
}
