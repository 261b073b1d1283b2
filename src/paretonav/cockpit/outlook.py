"""What a wish would come to, as a view needs it while somebody drags."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from paretonav.cockpit.messages import Mode, Steer
from paretonav.cockpit.plain import array, in_order, plain
from paretonav.cockpit.wishes import in_words, possible_instead, preference_of
from paretonav.errors import BusyError, InfeasiblePreferenceError, ParetonavError
from paretonav.geometry import FrontModel
from paretonav.navigation import Navigator
from paretonav.statistics import quantile
from paretonav.steering import Preview
from paretonav.steering.planning.reaches import Reach, reach_of
from paretonav.steering.planning.what_if import Bent, what_if
from paretonav.steering.preferences import Wish
from paretonav.steering.preferences.situation import situation
from paretonav.text import sentence

logger = logging.getLogger(__name__)

Json = dict[str, object]
Array = NDArray[np.float64]
Reaches = Mapping[int, Reach]

LATER = "What this comes to can be said once what is being done has ended."
"""The problem of an outlook for which the model is needed, while something else needs it."""
_KNOWN = 2.0  # standard errors of a 95 % interval where nobody knows how many batches there were
_TRIES = 3  # wishes of which it is seen whether they are possible
_SHORT = 0.999  # of what is possible: its end is not always found to the last digit
_TINY = 1e-3  # per cent of an improvement: what a slider at zero stands for where its end is asked for


def outlook(
    navigator: Navigator, steer: Steer, reaches: Reaches | None, alone: Reaches | None = None
) -> Json:
    """The answer to a steer.

    Args:
        navigator: at the point of the steer; it is only asked for a preview, which touches no model.
        steer: what is wanted.
        reaches: of the quantities that are asked for, as far as they are known.
        alone: how far each quantity could go if it alone were asked for; None where that is not known yet.
    """
    front = navigator.here.front
    preview, problem, reach = None, "", None
    try:
        wanted = preference_of(steer.modes, front)
        if wanted is not None:
            preview = navigator.preview(*wanted)
    except InfeasiblePreferenceError as error:
        problem, reach = sentence(error.reason), error.reach
    except BusyError:
        problem = LATER
    except ParetonavError as error:
        problem = sentence(str(error))
    except BaseException as error:
        # Of the user's own code, where a preview has to solve: a view must hear of it.
        logger.exception("the preview failed")
        problem = sentence(f"{type(error).__name__}: {error}")
    inputs = inputs_of(steer.modes, front)
    return {
        "by": steer.by,
        "seq": steer.seq,
        "point": navigator.here.id,
        "modes": {name: mode.told() for name, mode in steer.modes.items()},
        "asked": in_words(steer.modes, front),
        "problem": problem,
        "instead": _instead(navigator, steer.modes, reach) if problem and problem != LATER else None,
        "inputs": inputs,
        "reach": ends_of(front, steer.modes, reaches or {}),
        "alone": None
        if alone is None
        else ends_of(front, {name: Mode("aim") for name in front.steerable}, alone),
        "map": what_if_map(front, steer.modes),
        "exact": None if preview is None else _exact(preview, front),
        "further": None if preview is None else _further(navigator, steer.modes, preview),
    }


def _further(navigator: Navigator, modes: Mapping[str, Mode], now: Preview) -> Json | None:
    """What else would change with one per cent more of what is to improve, where bounds stand beside it.

    Without bounds a view knows that by itself, from the map, which has none.
    """
    front = navigator.here.front
    name = next((name for name, mode in modes.items() if mode.kind == "improve"), None)
    if name is None or not any(mode.kind == "limit" for mode in modes.values()):
        return None
    try:
        wanted = preference_of({**modes, name: Mode("improve", modes[name].number + 1)}, front)
        then = None if wanted is None else navigator.preview(*wanted)
    except ParetonavError:  # beyond its reach, or a bound's
        return None
    if then is None or not (then.attainable and then.trusted):
        return None
    before, after = now.predicted.shown, then.predicted.shown
    errors = [(before.error(each), after.error(each)) for each in front.steerable]
    return {
        "asked": front.steerable.index(name),
        "shown": [plain(after[each] - before[each]) for each in front.steerable],
        # Both are along nearly the same way, on which errors grow with the amount.
        "errors": [None if a is None or b is None else plain(abs(b - a)) for a, b in errors],
    }


def _instead(navigator: Navigator, modes: Mapping[str, Mode], reach: float | None) -> Json | None:
    """What can be asked for in place of what is not possible, in words and as a view has it."""
    front = navigator.here.front
    for _ in range(_TRIES):
        found = possible_instead(modes, front, reach)
        if found is None:
            return None
        try:
            wanted = preference_of(found, front)
            if wanted is None:
                return None
            navigator.preview(*wanted)
        except InfeasiblePreferenceError as error:
            modes, reach = found, _SHORT * error.reach
        except ParetonavError:
            return None
        else:
            return {
                "words": in_words(found, front),
                "modes": {name: mode.told() for name, mode in found.items()},
            }
    return None


def reaches_of(
    front: FrontModel, modes: Mapping[str, Mode], only: int | None = None, most: float = np.inf
) -> dict[int, Reach]:
    """How far each quantity that is asked for can go, the others as they are asked for.

    Args:
        front: at the point.
        modes: what is wanted.
        only: one of them.
        most: in parts of its size: further than that is not looked.
    """
    names, found = front.steerable, {}
    inputs = inputs_of(modes, front)
    for i in inputs if only is None else [only]:
        if i not in inputs or not front.orientation[i]:
            continue
        try:
            wish, amount = _wish(modes, front, names[i])
            found[i] = reach_of(front, wish, amount, i, most)
        except ParetonavError:
            continue  # the outlook has the reason
    return found


def what_if_map(front: FrontModel, modes: Mapping[str, Mode]) -> Json | None:
    """The map from amounts to outcomes for these modes; None where they cannot be asked for together."""
    inputs = inputs_of(modes, front)
    held = [i for i, name in enumerate(front.steerable) if name in modes and modes[name].kind == "hold"]
    found = what_if(front, inputs, held)
    if found is None:
        return None
    units, base = np.ones(len(inputs)), np.zeros(len(inputs))
    for k, i in enumerate(inputs):
        if modes[front.steerable[i]].kind == "improve":
            units[k] = -front.orientation[i] * abs(front.values[i]) / 100
        else:
            base[k] = front.values[i]
    losses = found.train if found.validation is None else found.validation
    shown = Bent(
        np.concatenate([losses.linear, found.metrics.linear]),
        np.concatenate([losses.bend, found.metrics.bend]),
    ).scaled(units)
    train = found.train.scaled(units)
    return {
        "base": array(base),
        "train": {"linear": array(train.linear), "bend": array(train.bend)},
        "shown": {"linear": array(shown.linear), "bend": array(shown.bend)},
        "errors": _variances(
            front, found.validation_variance, found.train_variance, found.metric_variance, units
        ),
        "weights": array(found.weights * units),
        "noise": _noise(front),
    }


def inputs_of(modes: Mapping[str, Mode], front: FrontModel) -> list[int]:
    """The quantities whose change is prescribed by an amount."""
    return [
        i
        for i, name in enumerate(front.steerable)
        if name in modes and modes[name].kind in ("improve", "aim")
    ]


def _wish(modes: Mapping[str, Mode], front: FrontModel, name: str) -> tuple[Wish, float]:
    """The wish of modes, in which ``name`` is moved at least a little."""
    moved = dict(modes)
    i = front.steerable.index(name)
    if modes[name].kind == "improve":
        moved[name] = Mode("improve", max(modes[name].number, _TINY))
    elif modes[name].number == front.values[i]:
        size = max(abs(float(front.values[i])), 1e-9)
        moved[name] = Mode("aim", float(front.values[i] - front.orientation[i] * 1e-5 * size))
    wanted = preference_of(moved, front)
    if wanted is None:
        raise AssertionError("something is moved")
    preference, amount = wanted
    return preference.wish(situation(front)), amount


def ends_of(front: FrontModel, modes: Mapping[str, Mode], reaches: Reaches) -> list[Json | None]:
    """Per quantity, where its slider ends; None where that is not known, or it has none."""
    ends: list[Json | None] = []
    for i, name in enumerate(front.steerable):
        reach = reaches.get(i)
        if reach is None or name not in modes:
            ends.append(None)
            continue
        value = float(front.values[i])
        size = abs(value)
        end = value + reach.change
        if modes[name].kind == "improve":
            end = 100 * abs(reach.change) / size if size else 0.0
        ends.append({"end": plain(end), "reason": sentence(reach.reason)})
    return ends


def _exact(preview: Preview, front: FrontModel) -> Json:
    shown = preview.predicted.shown
    return {
        "train": in_order(front.names, preview.predicted.train),
        "shown": in_order(front.steerable, shown),
        "errors": in_order(front.steerable, shown.standard_errors) if shown.standard_errors else None,
        "weights": in_order(front.names, preview.weights),
        "attainable": preview.attainable,
        "trusted": preview.trusted,
        "requested": in_order(front.steerable, preview.requested.shown),
    }


def _variances(
    front: FrontModel,
    validation: Array | None,
    train: Array | None,
    metrics: Array | None,
    units: Array,
) -> list[object] | None:
    """[q, k, k], of what is shown."""
    losses = train if front.validation_response is None else validation
    if losses is None or (metrics is None and front.metric_names):
        return None
    both = losses if metrics is None else np.concatenate([losses, metrics])
    return array(both * units[:, None] * units[None])


def _noise(front: FrontModel) -> float:
    """How many standard errors a change has to be larger than, to be more than noise."""
    measured = front.shown_response_by_batch
    return quantile(len(measured.fractions)) if measured is not None else _KNOWN
