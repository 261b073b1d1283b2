"""What happened in a step, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from paretonav.errors import PreferenceError
from paretonav.objectives.problem import Split
from paretonav.steering.changes import Changes
from paretonav.steering.preferences import Aim
from paretonav.steering.preferences.wording import describe
from paretonav.steering.reporting.point import DATA, Step, StepStatus
from paretonav.steering.reporting.verdict import Verdict, verdicts
from paretonav.text import in_quotes, listed, printable

_MOST = 5  # quantities that are spoken of unless they are named
_NOTHING = 5e-4  # of its value: a change that is said to be none


def explained(step: Step, names: Sequence[str] = ()) -> str:
    """What ``Step.explain`` says of a step, taken back or not."""
    _require_known(step, names)
    known = step.point.front.names
    losses = [name for name in names if name in known] if names else _spoken_of(step)
    metrics = [name for name in names if name in step.point.metrics] if names else _telling_metrics(step)
    asked = describe(step.preference, step.amount)
    said = [f"You asked to {'go in the ' if asked.startswith('direction ') else ''}{asked}."]
    if losses:
        said += _asked(step, losses)
    if step.status is not StepStatus.REJECTED:
        said += _beside(step, losses)
        said += _metrics(step, metrics)
    said.append(_end(step))
    return " ".join(sentence for sentence in said if sentence)


def _before(step: Step, on: Split) -> Mapping[str, float]:
    """The losses where a step began."""
    here, came = step.point.values.on(on), step.achieved.on(on)
    if step.status is StepStatus.REJECTED:
        return here
    return {name: value - came.get(name, 0.0) for name, value in here.items()}


def _require_known(step: Step, names: Sequence[str]) -> None:
    known = (*step.point.front.names, *step.point.metrics)
    for name in names:
        if name not in known:
            raise PreferenceError(
                f"there is no objective or metric {in_quotes(name)}; there are {listed(map(printable, known))}"
            )


def _spoken_of(step: Step) -> list[str]:
    """The losses that were asked for, and those that changed most besides."""
    before = _before(step, step.on)
    changes = step.achieved.on(step.on) or step.predicted.on(step.on)
    asked = [name for name in changes if name in step.requested.shown]
    others = [name for name in changes if name not in step.requested.shown]
    others.sort(key=lambda name: -abs(changes[name]) / (abs(before[name]) or math.inf))
    chosen = {*asked, *others[: max(0, _MOST - len(asked))]}
    return [name for name in changes if name in chosen]


def _telling_metrics(step: Step) -> list[str]:
    """The metrics that were asked for, and others that changed beyond their noise."""
    achieved = step.achieved.metrics
    asked = [name for name in achieved if name in step.requested.metrics]
    others = [
        name
        for name, change in achieved.items()
        if name not in asked and change and not achieved.is_noise(name)
    ]
    return [*asked, *others[: max(0, _MOST - len(asked))]]


def _asked(step: Step, losses: Sequence[str]) -> list[str]:
    """What was expected and what came where it was asked for, and why they differ."""
    before, predicted, achieved = (
        _before(step, step.on),
        step.predicted.on(step.on),
        step.achieved.on(step.on),
    )
    on = f" on {DATA[step.on]}" if step.point.validation else ""
    expected = listed(_moved(name, predicted[name], before[name]) for name in losses)
    said = [f"Expected{on} was {expected}."]
    if not achieved:
        return said
    noisy = step.on == "validation" and bool(achieved.standard_errors)
    came = listed(_came(achieved, name, before[name], noisy) for name in losses)
    note = " (± is one standard error)" if noisy else ""
    if step.status is StepStatus.REJECTED:
        return [*said, f"What was tried came to {came}{note}."]
    return [
        *said,
        f"What came is {came}{note}.",
        *(_compared(step, step.on, losses) or ["That is as expected."]),
    ]


def _compared(step: Step, on: Split, losses: Sequence[str]) -> list[str]:
    """What is better than predicted, and of the rest where prediction and outcome are furthest apart.

    Why they are is not said: nothing has measured it.
    """
    there = "" if on == step.on else " there"
    before, predicted, achieved = _before(step, on), step.predicted.on(on), step.achieved.on(on)
    missed = [name for name, part in step.missed if part == on]
    found = verdicts(before, predicted, achieved, dict.fromkeys(before, 1.0), missed)
    instead = {
        name: f"{_size(achieved[name], before[name])} instead of {_size(predicted[name], before[name])}"
        for name in losses
        if name in found
    }
    better = [f"{printable(name)} {said}" for name, said in instead.items() if found[name] is Verdict.BETTER]
    said = [f"Better than expected{there} is {listed(better)}."] if better else []
    off = {
        name: abs(achieved[name] - predicted[name])
        for name in instead
        if found[name] in (Verdict.NEARLY, Verdict.WORSE, Verdict.OTHER)
    }
    if not off:
        return said
    worst = max(off, key=lambda name: off[name] / (abs(before[name]) or 1.0))
    beside = f"The largest difference{there} is in {printable(worst)}: {instead[worst]}"
    if worst not in achieved.standard_errors:
        return [*said, f"{beside}."]
    difference = Changes({worst: off[worst]}, achieved.standard_errors, achieved.batches)
    where = "within" if difference.is_noise(worst) else "beyond"
    return [*said, f"{beside}, which is {where} the sampling error of such a change."]


def _beside(step: Step, losses: Sequence[str]) -> list[str]:
    """What came on the other data, in a sentence."""
    other: Split = "train" if step.on == "validation" else "validation"
    before, achieved = _before(step, other), step.achieved.on(other)
    if not achieved or not losses:
        return []
    noisy = other == "validation" and bool(achieved.standard_errors)
    came = listed(_noisy(achieved, name, before[name], noisy) for name in losses)
    note = " (± is one standard error)" if noisy else ""
    said = [f"On {DATA[other]} it is {came}{note}.", *_compared(step, other, losses)]
    trained = step.achieved.train
    lost = [
        printable(name)
        for name in losses
        if step.on == "train"
        and step.requested.train.get(name, 0.0) < 0
        and trained[name] < 0
        and achieved[name] > 0.5 * trained[name]
    ]
    if lost:
        said.append(
            f"Less than half of what {listed(lost)} gained on training data shows there; the rest is noise or "
            "overfitting."
        )
    return said


def _metrics(step: Step, metrics: Sequence[str]) -> list[str]:
    achieved, after, senses = step.achieved.metrics, step.point.metrics, step.point.front.senses
    if not achieved or not metrics:
        return []
    said = []
    for name in metrics:
        sense = 0.0 if achieved.is_noise(name) else senses[name]
        before = after[name] - achieved[name]
        # A number between 0 and 1 that is to be high is taken for a rate, such as an accuracy.
        rate = senses[name] < 0 and min(before, after[name]) >= 0 and max(before, after[name]) <= 1
        words = _moved(name, achieved[name], before, to=True, sense=sense, rate=rate)
        error = achieved.error(name)
        if error is not None:
            words += f", ±{_amount(error, before, rate=rate)}"
        said.append(
            words + (", which is within its noise" if achieved.is_noise(name) and achieved[name] else "")
        )
    return [f"Of the metrics, {'; '.join(said)}."]


def _end(step: Step) -> str:
    reason = step.reason
    if step.status is StepStatus.REJECTED:
        return f"The step was taken back, and the model is where it was: {reason}."
    if step.status is StepStatus.SHORTENED:
        return f"The step ended before all of it was done: {reason}."
    reached = "The target is reached. " if isinstance(step.preference, Aim) and step.amount == 1 else ""
    return f"{reached}Besides, {reason}." if reason else reached.strip()


def _moved(
    name: str,
    change: float,
    before: float,
    *,
    to: bool = False,
    sense: float = 0.0,
    rate: bool = False,
) -> str:
    """``f1 down 5.0% to 0.349 (good)``; the verdict is left out where ``sense`` is zero."""
    shown = printable(name)
    if abs(change) <= _NOTHING * abs(before):
        return f"{shown} unchanged" + (f" at {_value(before, rate)}" if to else "")
    words = f"{shown} {_size(change, before, rate=rate)}"
    if to:
        words += f" to {_value(before + change, rate)}"
    return words + (f" ({'good' if sense * change < 0 else 'worse'})" if sense else "")


def _came(changes: Changes, name: str, before: float, noisy: bool) -> str:
    """``f1 down 5.0% to 0.349 (good)``; with its standard error where it is ``noisy``."""
    if not noisy:
        return _moved(name, changes[name], before, to=True, sense=1.0)
    words = f"{_noisy(changes, name, before, noisy)}, at {_value(before + changes[name], False)}"
    if changes.is_noise(name) or abs(changes[name]) <= _NOTHING * abs(before):
        return words
    return f"{words} ({'good' if changes[name] < 0 else 'worse'})"


def _noisy(changes: Changes, name: str, before: float, noisy: bool) -> str:
    words = _moved(name, changes[name], before)
    if not noisy:
        return words
    words += f" ±{_amount(changes.standard_errors[name], before)}"
    return words + (" (noise)" if changes.is_noise(name) else "")


def _size(change: float, before: float, *, rate: bool = False) -> str:
    if abs(change) <= _NOTHING * abs(before):
        return "unchanged"
    return f"{'down' if change < 0 else 'up'} {_amount(change, before, rate=rate)}"


def _amount(change: float, before: float, *, rate: bool = False) -> str:
    """The magnitude of a change: in points of a rate, else in per cent of the value."""
    if rate:
        points = f"{100 * abs(change):.2g}"
        return f"{points} point{'' if points == '1' else 's'}"
    if not before:
        return f"{abs(change):.3g}"
    share = 100 * abs(change / before)
    return f"{share:.1f}%" if share >= 0.1 else f"{share:.1g}%"


def _value(value: float, rate: bool) -> str:
    return f"{100 * value:.1f}%" if rate else f"{value:.3g}"
