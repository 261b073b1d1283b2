"""What charts write on their canvases, which no locator sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.cockpit.looking import until

_LISTEN = """() => {
  const brushes = CanvasRenderingContext2D.prototype;
  const { fillText, clearRect, drawImage } = brushes;
  const textsOf = (canvas) => (canvas.texts ??= []);
  brushes.clearRect = function (...rest) {
    this.canvas.texts = [];
    return clearRect.apply(this, rest);
  };
  brushes.drawImage = function (image, ...rest) {
    textsOf(this.canvas).push(...(image.texts ?? []));
    return drawImage.call(this, image, ...rest);
  };
  brushes.fillText = function (text, x, y) {
    const { a, b, c, d, e, f } = this.getTransform();
    const scale = Math.hypot(a, b);
    const wide = this.measureText(text).width;
    const left = { left: 0, start: 0, center: 0.5, right: 1, end: 1 }[this.textAlign] * wide;
    const half = Number(/(\\d+)px/.exec(this.font)[1]) / 2;
    const [from, to] = [x - left, x - left + wide];
    const corners = [[from, y - half], [to, y - half], [from, y + half], [to, y + half]];
    const places = corners.map(([u, v]) => [(a * u + c * v + e) / scale, (b * u + d * v + f) / scale]);
    const [xs, ys] = [0, 1].map((k) => places.map((place) => place[k]));
    textsOf(this.canvas).push({
      text, way: [a / scale, b / scale],
      box: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
    });
    return fillText.call(this, text, x, y);
  };
}"""
_READ = "(chart) => [...chart.querySelectorAll('canvas')].filter((e) => e.offsetParent).flatMap((e) => e.texts ?? [])"


@dataclass(frozen=True)
class Text:
    """A text on a canvas: the way that it is read along, and its box there."""

    text: str
    way: tuple[float, float]
    box: tuple[float, float, float, float]

    @property
    def arrow(self) -> tuple[float, float]:
        """Where an arrow at its beginning or its end points to, on the screen: right and down."""
        if self.text.startswith("← "):
            return -self.way[0], -self.way[1]
        assert self.text.endswith(" →")
        return self.way

    @property
    def middle(self) -> tuple[float, float]:
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2

    def touches(self, other: Text) -> bool:
        across = min(self.box[2], other.box[2]) - max(self.box[0], other.box[0])
        down = min(self.box[3], other.box[3]) - max(self.box[1], other.box[1])
        return across > 0 and down > 0


def listen(page: Any) -> None:
    """From now on, it is known what is on the canvases; all that are seen are drawn anew."""
    page.evaluate(_LISTEN)
    size = page.viewport_size
    page.set_viewport_size(size | {"width": size["width"] - 2})


def texts(page: Any, chart: Any, *wanted: str) -> list[Text]:
    """The texts on the canvases of a chart that is seen, once all of some are among them."""

    def look() -> Any:
        found = chart.evaluate(_READ)
        return found if all(any(text in one["text"] for one in found) for text in wanted) else None

    found = until(page, look, wanted)
    return [Text(one["text"], tuple(one["way"]), tuple(one["box"])) for one in found]
