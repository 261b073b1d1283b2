"""Points and steps in a run of MLflow."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from typing import Any

from paretonav.errors import NavigationError, needing
from paretonav.loggers.entry import Entry, Key
from paretonav.loggers.logger import Logger
from paretonav.plotting.save import Kind

_ODD = re.compile(r"[^\w\-. ]")
"""What MLflow takes in no name of a metric."""


class MLflow(Logger):
    """Adds every point to a run: metrics by the number of the point, cards, words and charts as artifacts.

    The run is neither begun nor ended here.

    Args:
        run_id: of the run; by default the one that is active in this thread.
        client: an ``MlflowClient``; by default one of the present tracking URI.
        pictures: kinds of charts that are drawn at every point, as in ``plotting.save_plot``; each takes time.

    Attributes:
        run_id: of the run.

    Raises:
        MissingExtraError: MLflow is not installed (extra ``mlflow``).
        NavigationError: no run is active, and none is given.

    Example:
        ``with mlflow.start_run(): nav = pn.Navigator(problem, callbacks=[pn.loggers.MLflow()])``
    """

    def __init__(
        self,
        run_id: str | None = None,
        *,
        client: Any = None,
        pictures: Sequence[Kind] = ("front",),
    ) -> None:
        super().__init__(pictures)
        with needing("mlflow", "logging to MLflow"):
            import matplotlib  # noqa: F401 - by which pictures are drawn
            import mlflow
            from mlflow.entities import Metric
        active = mlflow.active_run()
        if run_id is None and active is None:
            raise NavigationError(
                "no run of MLflow is active; call mlflow.start_run() before, or give run_id="
            )
        self.run_id: str = active.info.run_id if run_id is None else run_id
        self._client = mlflow.MlflowClient() if client is None else client
        self._metric = Metric
        self._rejected = 0

    def log(self, entry: Entry) -> None:
        """Add an entry to the run."""
        client, run, at = self._client, self.run_id, entry.point
        now = time.time_ns() // 10**6
        metrics = [self._metric(_plain(key), value, now, at) for key, value in entry.numbers.items()]
        client.log_batch(run, metrics=metrics)
        if not entry.accepted:
            self._rejected += 1
        name = f"point {at}" if entry.accepted else f"rejected {self._rejected}"
        client.log_text(run, entry.words, f"steps/{name}.md")
        client.set_tag(run, "paretonav.status", entry.status)
        client.set_tag(run, "paretonav.point", str(at))
        if entry.card:
            client.log_text(run, entry.card, f"cards/{name}.md")
        for kind, image in entry.pictures.items():
            client.log_image(run, image, f"charts/{kind}/{name}.png")


def _plain(key: Key) -> str:
    """A name that MLflow takes."""
    return f"{key.kind}/{_ODD.sub('_', key.name).strip('. ') or '_'}"
