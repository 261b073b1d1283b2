"""What a chart is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

USUAL_SIZE = (8.0, 6.4)  # inches: half a page, on which two charts lie side by side on a screen


class Chart(Protocol):
    """A picture of a session, ready to be drawn.

    Attributes:
        title: what it shows.
        subtitle: how to read it.
        size: width and height that give all of its texts room, in inches.
    """

    @property
    def title(self) -> str: ...

    @property
    def subtitle(self) -> str: ...

    @property
    def size(self) -> tuple[float, float]: ...

    def draw(self, figure: Figure) -> None:
        """On an empty figure that has its size, without a headline."""
