"""Sessions to draw."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.regression import problem

import paretonav as pn
from paretonav.session import Journal
from paretonav.steering import Estimates
from paretonav.steering.outcome import Outcome

FAST = pn.TrainOn(
    optimizer=lambda p: torch.optim.Adam(p, lr=1e-2),
    learning_rate_factor=1.0,
    epochs=8,
    rounds=1,
    batch_size=64,
)


@pytest.fixture(scope="session")
def session():
    """0 -> 1 -> 2 and 1 -> 3 on three quadratics; 3 has a star and a note, 2 is the current point."""
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    navigator.start()
    navigator.step(pn.Improve({"f1": 1.0}), 0.03)
    navigator.step(pn.Improve({"f2": 1.0}), 0.03)
    navigator.undo()
    navigator.step(pn.Improve({"f3": 1.0}), 0.04)
    navigator.session.note(3, "<b>the one</b>")
    navigator.session.star(3)
    navigator.go_to(2)
    return navigator.session


@pytest.fixture(scope="session")
def judged(session):
    """The same with validation losses and three metrics: larger is better, smaller is better, nobody knows."""
    copy = pn.Session()
    for record in session:
        i = record.id
        measured = {"up": 0.5 + 0.1 * i, "down": 1.0 - 0.2 * i, "odd": 1.0}
        validation = Estimates({name: 1.5 * loss for name, loss in record.losses.items()})
        changed = replace(
            record, values=Outcome(record.losses, validation, Estimates(measured), "validation")
        )
        Journal(copy).add(changed, _with_validation(session.point(i), measured), Journal(session).tangent(i))
    copy._problem = type("Problem", (), {"higher_is_better": {"up": True, "down": False}})()
    copy.star(3)
    Journal(copy).go_to(2)
    return copy


def _with_validation(point, metrics):
    """The point, with half as much again of everything on validation data."""
    front, validation = (
        point.front,
        replace(
            point.measured.train,
            batches=1.5 * point.measured.train.batches,
            metric_names=tuple(metrics),
            metric_batches=torch.tensor([[*metrics.values()]], dtype=torch.float64),
        ),
    )
    known = {
        "validation_losses": validation,
        "validation_response": 1.5 * front.response,
        "validation_bend": 1.5 * np.broadcast_to(front.bend, (front.m, *front.bend.shape[1:])),
        "asked": "validation",
    }
    return replace(
        point, measured=replace(point.measured, validation=validation), front=replace(front, **known)
    )


@pytest.fixture(scope="session")
def held():
    """A model that is held where it is, with validation data, after one step."""
    navigator = pn.Navigator(problem())
    navigator.start(train_on=FAST)
    navigator.step(pn.Improve({"large": 1.0}), 0.02)
    return navigator


@pytest.fixture(scope="session", params=[2, 3, 5])
def many(request):
    """A session of ten thousand points."""
    return wandered(request.param, 10_000)


def wandered(m, count):
    """So many points of m objectives, of which only the first has parameters."""
    navigator = pn.Navigator(pn.problems.quadratic(n=6, m=m))
    navigator.start()
    session, first = navigator.session, navigator.records[0]
    point, tangent = session.point(0), Journal(session).tangent(0)
    rng = np.random.default_rng(0)
    names = list(first.losses)
    factors = 1 + 0.1 * rng.normal(size=(count, len(names)))
    for i in range(1, count):
        losses = {name: first.losses[name] * factor for name, factor in zip(names, factors[i], strict=True)}
        parent = int(rng.integers(max(0, i - 3), i))
        changed = {
            "values": replace(first.values, train=Estimates(losses)),
            "preference": pn.Improve({names[i % len(names)]: 1.0}),
            "star": i % 3000 == 0,
        }
        Journal(session).add(replace(first, id=i, parent=parent, amount=0.01, **changed), point, tangent)
    return session
