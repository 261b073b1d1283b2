"""Points and steps in a run of Weights & Biases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from paretonav.errors import NavigationError, needing
from paretonav.loggers.entry import Entry
from paretonav.loggers.logger import Logger
from paretonav.plotting.save import Kind


class WandB(Logger):
    """Adds every point to a run, online or offline: the axis of all charts is the number of the point.

    The run is neither begun nor ended here. Cards are files of the run.

    Args:
        run: of ``wandb.init``; by default the present one.
        pictures: kinds of charts that are drawn at every point, as in ``plotting.save_plot``; each takes time.

    Raises:
        MissingExtraError: W&B is not installed (extra ``wandb``).
        NavigationError: there is no run.

    Example:
        ``pn.Navigator(problem, callbacks=[pn.loggers.WandB(wandb.init(project="steering"))])``
    """

    def __init__(self, run: Any = None, *, pictures: Sequence[Kind] = ("front",)) -> None:
        super().__init__(pictures)
        with needing("wandb", "logging to Weights & Biases"):
            import matplotlib  # noqa: F401 - by which pictures are drawn
            import wandb
        self.run = wandb.run if run is None else run
        if self.run is None:
            raise NavigationError("there is no run of W&B; call wandb.init() before, or give run=")
        self._image = wandb.Image
        self.run.define_metric("point", hidden=True)
        self.run.define_metric("*", step_metric="point")

    def log(self, entry: Entry) -> None:
        """Add an entry to the run."""
        row: dict[str, Any] = {"/".join(key): value for key, value in entry.numbers.items()}
        row |= {f"charts/{kind}": self._image(image) for kind, image in entry.pictures.items()}
        self.run.log({"point": entry.point, "step/status": entry.status, "step/words": entry.words, **row})
        if entry.card:
            folder = Path(self.run.dir) / "cards"  # what is in there is kept with the run
            folder.mkdir(exist_ok=True)
            (folder / f"point {entry.point}.md").write_text(entry.card, "utf-8")
