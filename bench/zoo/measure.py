"""All rows of one trained model: what the library says and does, and what others come to in the same time."""

from __future__ import annotations

import copy
import inspect
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import paretonav as pn
from zoo.bring import problem_of
from zoo.case import SPLITS, Case, Split
from zoo.evaluation import Evaluation, change, evaluations
from zoo.rivals import Tuning, control, epoch_seconds, reach, trained_on, tunings
from zoo.rows import TAKEN, Key, Row, key, text

AMOUNTS = (0.01, 0.02, 0.05, 0.10, 0.20)
SMALL = 0.02  # up to which a refused wish is tried by fine-tuning
PUBLISHED = 0.05  # the amount of the one step that the published method takes
BROUGHT, FURTHER = "as brought", "trained on"
GAIN = "training on"


@dataclass(frozen=True)
class Wish:
    """What is to improve, each by the same part of its size.

    Attributes:
        named: the losses.
    """

    named: tuple[str, ...]

    def __str__(self) -> str:
        return " & ".join(self.named)

    @property
    def preference(self) -> pn.Improve:
        """As the library takes it."""
        return pn.Improve(dict.fromkeys(self.named, 1.0), units="relative")


def wishes(names: Sequence[str]) -> list[Wish]:
    """Each loss alone, then the first two together if that leaves another one to pay."""
    pair = [Wish(tuple(names[:2]))] if len(names) > 2 else []
    return [*(Wish((name,)) for name in names), *pair]


@dataclass(frozen=True, eq=False)
class Start:
    """A navigation that has begun.

    Attributes:
        case: what was brought.
        seed: of it.
        origin: "as brought", or "trained on" first.
        nav: at its first point.
        model: the module that it steers.
        state: of the module at the first point.
        before: the losses there.
        epoch: CPU seconds of one.
        cost: of the start, and ``seconds`` of CPU.
        seconds: see there.
    """

    case: Case
    seed: int
    origin: str
    nav: pn.Navigator
    model: nn.Module
    state: Mapping[str, Tensor]
    before: Mapping[Split, Evaluation]
    epoch: float
    cost: pn.Cost
    seconds: float

    @classmethod
    def of(cls, case: Case, seed: int, origin: str = BROUGHT, **arguments: object) -> Start:
        """Bring a case and start.

        Args:
            case: what is brought; its model stays as it is, a copy is steered.
            seed: of it.
            origin: a word for how it is started.
            arguments: of ``Navigator.start``.
        """
        model = copy.deepcopy(case.model)
        nav = pn.Navigator(problem_of(case, model))
        began = time.process_time()
        point = nav.start(**arguments)  # type: ignore[arg-type]
        seconds = time.process_time() - began
        return cls(
            case=case,
            seed=seed,
            origin=origin,
            nav=nav,
            model=model,
            state=copy.deepcopy(model.state_dict()),
            before=evaluations(model, case),
            epoch=epoch_seconds(case, model),
            cost=point.cost,
            seconds=seconds,
        )

    def back(self) -> nn.Module:
        """The module as it was at the first point."""
        self.nav.go_to(0)
        self.model.load_state_dict(self.state)
        self.model.eval()
        return self.model

    def label(self, wish: Wish | None = None, amount: float | None = None) -> dict[str, object]:
        """What all rows have: by which they are found, and how much data there is, by which targets differ."""
        case = self.case
        asked = {} if wish is None else {"wish": str(wish), "amount": amount, "named": _places(case, wish)}
        return {
            "case": case.name,
            "seed": self.seed,
            "origin": self.origin,
            "examples": len(case.train),
            **asked,
        }

    def about(self) -> dict[str, object]:
        """What the row of the start has of the model, for all rows."""
        case = self.case
        return {
            "objectives": "; ".join(case.names),
            "training seconds": case.seconds,
            "training epochs": case.epochs,
            "epoch seconds": self.epoch,
            "parameters": sum(p.numel() for p in case.model.parameters()),
        }

    def spent(self, seconds: float, cost: pn.Cost | None = None) -> dict[str, object]:
        """The columns of time, and of passes where they were counted."""
        counted = {} if cost is None else {
            "forward passes": cost.forward_passes,
            "gradient passes": cost.gradient_passes,
            "Hessian products": cost.hessian_products,
        }  # fmt: skip
        return {"seconds": seconds, "epochs": seconds / self.epoch, **counted}

    def outcome(self, model: nn.Module) -> tuple[dict[str, object], dict[Split, Evaluation]]:
        """The columns of what became of the losses on each split, and the losses."""
        after = evaluations(model, self.case)
        return _changes(self.before, after), after


@dataclass(frozen=True, eq=False)
class Taken:
    """A step that was asked for.

    Attributes:
        columns: of its row.
        after: the losses that it led to.
        planned: the weights of the preview, or None where there was none.
        seconds: of CPU.
        taken: whether the model has moved.
    """

    columns: Mapping[str, object]
    after: Mapping[Split, Evaluation]
    planned: Mapping[str, float] | None
    seconds: float
    taken: bool


def measured(
    case: Case, seed: int, amounts: Sequence[float] = AMOUNTS, done: Collection[Key] = ()
) -> Iterator[list[Row]]:
    """The rows of a case, in groups that belong together.

    Args:
        case: the trained model.
        seed: of it.
        amounts: of each wish.
        done: keys of what is known already and left out.
    """
    asked = [(wish, amount) for wish in wishes(case.names) for amount in amounts]

    def known(origin: str, *of: Any) -> bool:
        return key(case.name, seed, origin, *of) in done

    def missing(start: Start) -> Iterator[list[Row]]:
        if not known(start.origin):
            yield [_started(start)]
        usual: list[float] = []
        for wish, amount in asked:
            if not known(start.origin, str(wish), amount):
                step = _step(start, wish, amount)
                usual += [step.seconds] if step.taken else []
                yield _beside(start, wish, amount, step, float(np.median(usual or [start.epoch])))

    if known(BROUGHT, GAIN) and all(
        known(origin, str(wish), amount)
        for origin in (BROUGHT, FURTHER)
        if known(origin)
        for wish, amount in asked
    ):
        return
    start = Start.of(case, seed)
    yield from missing(start)
    if seed == 0 and not known(BROUGHT, f"ppe: {case.names[0]}", PUBLISHED):
        yield [_by_ppe(start)]
    pays = _training_pays(start.nav)
    if pays:
        yield from missing(Start.of(case, seed, FURTHER, train_on=True))
    if not known(BROUGHT, GAIN):
        status = "unknown" if pays is None else "pays" if pays else "does not pay"
        yield [{**start.label(), "wish": GAIN, "method": GAIN, "status": status}]


def _started(start: Start) -> Row:
    """The row of a start: whether it has left the model alone, and what became of the losses if not."""
    brought = start.case.model.state_dict()
    same = all(torch.equal(brought[name], value) for name, value in start.state.items())
    before = evaluations(start.case.model, start.case)
    return {
        **start.label(),
        **start.about(),
        **{f"losses {split}": text(before[split].values) for split in SPLITS},
        "method": "start",
        "status": "unchanged" if same else "changed",
        **_changes(before, start.before),
        **start.spent(start.seconds, start.cost),
    }


def _beside(start: Start, wish: Wish, amount: float, step: Taken, usual: float) -> list[Row]:
    """The step's row, then those of what others do in its time, or in ten times that if it was refused.

    Args:
        start: where all begin.
        wish: what was asked.
        amount: how much of it.
        step: what came of it.
        usual: seconds of the steps that were taken before, which a refusal may be much quicker than.
    """
    label, model = start.label(wish, amount), start.back()
    rows: list[Row] = [{**label, "method": "step", **step.columns}]
    if step.taken:
        ways = [*tunings(start.case, wish.named, step.planned), control(start.case)]
        rows += [{**label, **_tuned(start, way, step)} for way in ways]
    if step.columns["status"] != "accepted" and amount <= SMALL:
        found = reach(start.case, model, wish.named, amount, max(step.seconds, usual))
        rows.append(
            {
                **label,
                "method": "reach",
                "status": "reached" if found.reached else "not reached",
                "reason": f"{found.name}: {found.nearest:+.6g}",
            }
        )
    return rows


def _step(start: Start, wish: Wish, amount: float) -> Taken:
    """Preview and step from the first point; whatever the library says of it, the losses are measured here."""
    model, nav = start.back(), start.nav
    began = time.process_time()
    preview, step = None, None
    with suppress(pn.InfeasiblePreferenceError):  # a step may go where no preview sees
        preview = nav.preview(wish.preference, amount)
    try:
        step = nav.step(wish.preference, amount) if preview is None else nav.step(preview)
        status, reason = str(step.status.value), step.reason
    except pn.InfeasiblePreferenceError as error:
        status, reason = "refused", str(error)
    except pn.ParetonavError as error:
        status, reason = "failed", f"{type(error).__name__}: {error}"
    seconds = time.process_time() - began
    columns, after = start.outcome(model)
    units = {
        split: dict(zip(start.case.names, np.abs(start.before[split].values), strict=True))
        for split in SPLITS
    }
    if preview is not None:
        columns |= _predictions("previewed", preview, start.case, units)
    if step is not None:
        columns |= _predictions("predicted", step, start.case, units)
    share = _share(preview, step)
    columns |= {
        "requested": text([-amount * share] * len(wish.named)),
        "status": status,
        "reason": reason,
        **start.spent(seconds, None if step is None else step.cost),
    }
    return Taken(columns, after, None if preview is None else preview.weights, seconds, status in TAKEN)


def _share(preview: pn.Preview | None, step: pn.Step | None) -> float:
    """The part of the request that a step reports about: less than all of it where it was shortened."""
    if preview is None or step is None:
        return 1.0
    taken = step.requested.shown
    parts = [taken[name] / x for name, x in preview.requested.shown.items() if x and name in taken]
    return min(1.0, *parts) if parts else 1.0


def _predictions(
    word: str, said: pn.Preview | pn.Step, case: Case, units: Mapping[Split, Mapping[str, float]]
) -> dict[str, object]:
    """What was said of training and validation losses, as parts of their sizes."""
    found: dict[str, object] = {}
    splits: tuple[Split, ...] = ("train", "validation")
    for split in splits:
        if changes := said.predicted.on(split):
            found[f"{word} {split}"] = text(changes[name] / units[split][name] for name in case.names)
    return found


def _tuned(start: Start, way: Tuning, step: Taken) -> Row:
    """Fine-tuning for the time of a step, and how much better or worse than the step it is on test data."""
    (model,) = trained_on(start.case, start.back(), way, step.seconds)
    columns, after = start.outcome(model)
    over = change(step.after["test"], after["test"], np.abs(start.before["test"].values))
    return {
        **columns,
        "method": way.name,
        "status": "trained",
        "over step": text(over.values),
        "± over step": text(over.errors),
        **start.spent(step.seconds),
    }


def _by_ppe(start: Start) -> Row:
    """One step by the published method; its own start changes nothing, and its own time is what it takes."""
    case, wish = start.case, Wish(start.case.names[:1])
    label = start.label(wish, PUBLISHED) | {"wish": f"ppe: {wish}", "method": "ppe"}
    model = copy.deepcopy(start.back())
    began = time.process_time()
    try:
        nav = pn.Navigator(problem_of(case, model), **pn.ppe())
        nav.start(polish=False)
        began = time.process_time()
        step = nav.step(wish.preference, PUBLISHED)
    except pn.ParetonavError as error:
        return {
            **label,
            "status": "refused",
            "reason": str(error),
            **start.spent(time.process_time() - began),
        }
    seconds = time.process_time() - began
    columns, _ = start.outcome(model)
    return {
        **label,
        **columns,
        "status": str(step.status.value),
        "reason": step.reason,
        "requested": text([-PUBLISHED]),
        **start.spent(seconds, step.cost),
    }


def _training_pays(nav: pn.Navigator) -> bool | None:
    """Whether the library says that training on pays; None if it says nothing of that."""
    if not hasattr(nav, "training_gain") or "train_on" not in inspect.signature(nav.start).parameters:
        return None
    return bool(nav.training_gain().pays)


def _changes(before: Mapping[Split, Evaluation], after: Mapping[Split, Evaluation]) -> dict[str, object]:
    columns: dict[str, object] = {}
    for split in SPLITS:
        found = change(before[split], after[split])
        columns |= {split: text(found.values), f"± {split}": text(found.errors)}
    return columns


def _places(case: Case, wish: Wish) -> str:
    return " ".join(str(case.names.index(name)) for name in wish.named)
