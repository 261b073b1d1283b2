"""Points and steps in TensorBoard."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike, fspath
from typing import TYPE_CHECKING

import numpy as np

from paretonav.errors import needing
from paretonav.loggers.entry import Entry
from paretonav.loggers.logger import Logger
from paretonav.plotting.save import Kind

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class TensorBoard(Logger):
    """Writes every point into a folder that TensorBoard shows: the axis is the number of the point.

    Args:
        where: the folder; or a ``SummaryWriter`` (``torch.utils.tensorboard``) that you have.
        pictures: kinds of charts that are drawn at every point, as in ``plotting.save_plot``; each takes time.

    Attributes:
        writer: the ``SummaryWriter``; every entry is flushed, and nothing has to be closed.

    Raises:
        MissingExtraError: TensorBoard is not installed (extra ``tensorboard``).

    Example:
        ``pn.Navigator(problem, callbacks=[pn.loggers.TensorBoard("runs/chosen")])``
    """

    def __init__(
        self, where: str | PathLike[str] | SummaryWriter, *, pictures: Sequence[Kind] = ("front",)
    ) -> None:
        super().__init__(pictures)
        with needing("tensorboard", "logging to TensorBoard"):
            import matplotlib  # noqa: F401 - by which pictures are drawn
            from torch.utils.tensorboard import SummaryWriter
        self.writer = where if isinstance(where, SummaryWriter) else SummaryWriter(fspath(where))

    def log(self, entry: Entry) -> None:
        """Write an entry, and flush it."""
        writer, at = self.writer, entry.point
        for key, value in entry.numbers.items():
            writer.add_scalar("/".join(key), value, at)
        writer.add_text("status", entry.status, at)
        writer.add_text("step", entry.words, at)
        if entry.card:
            writer.add_text("card", entry.card, at)
        for kind, image in entry.pictures.items():
            writer.add_image(f"charts/{kind}", np.asarray(image), at, dataformats="HWC")
        writer.flush()
