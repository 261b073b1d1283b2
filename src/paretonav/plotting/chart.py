"""What a chart is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from matplotlib.figure import Figure


class Chart(Protocol):
    """A picture of a session, ready to be drawn by either library.

    Attributes:
        title: what it shows.
        subtitle: how to read it.
    """

    @property
    def title(self) -> str: ...

    @property
    def subtitle(self) -> str: ...

    def plotly(self) -> go.Figure:
        """As an interactive figure, without a headline."""

    def draw(self, figure: Figure) -> None:
        """On an empty Matplotlib figure, without a headline."""
