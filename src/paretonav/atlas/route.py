"""A way to an outcome that begins at one of the visited points."""

from __future__ import annotations

from dataclasses import dataclass

from paretonav.display import Display, Shown, changes_shown
from paretonav.steering.changes import Estimates
from paretonav.steering.preferences.wording import describe
from paretonav.steering.reporting.estimate import Estimate
from paretonav.steering.reporting.point import DATA, Preview


@dataclass(frozen=True, eq=False, repr=False)
class Route(Shown):
    """From which visited point to go somewhere, and where it would lead; ``nav.step(route)`` goes there.

    Attributes:
        start: the point where it begins.
        preview: of the step from there.
        outcome: name -> value that is predicted of each loss and metric.
        legs: in how many the step is expected to go; each is planned anew, and takes about as long as a step of one.
        estimate: what the step is expected to take; None where nobody knows, as before the first step.
    """

    start: int
    preview: Preview
    outcome: Estimates
    legs: int
    estimate: Estimate | None

    @property
    def attainable(self) -> bool:
        """Whether the model there has an outcome as good as what was asked for; if not, this is the nearest."""
        return self.preview.attainable

    def _display(self) -> Display:
        preview = self.preview
        title = f"Route from point {self.start}: {describe(preview.planned.preference, preview.plan.amount)}"
        predicted = preview.predicted.asked(preview.on)
        time = "" if self.estimate is None else f", {self.estimate.words}"
        note = f"Expected: {self.legs} leg{'' if self.legs == 1 else 's'}{time}; on {DATA[preview.on]}."
        if not self.attainable:
            note = f"There is no such outcome; this is the nearest. {note}"
        shown = changes_shown(
            title, {"predicted": predicted}, predicted.standard_errors, preview.requested.shown, self.outcome
        )
        return Display(shown.title, shown.headings, shown.rows, note)
