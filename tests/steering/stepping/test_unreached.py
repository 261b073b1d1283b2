"""What is said of targets that were not reached, against the optimum that further training finds."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import Anchor, Geometry, Tangent, measure_front, tangent_at
from paretonav.steering.preferences.situation import situation
from paretonav.steering.stepping.correctors import Newton
from paretonav.steering.stepping.unreached import is_settled

NAMES = ("a", "b", "c")


def entropies(o: Tensor, answers: Tensor) -> list[Tensor]:
    """Questions that one logit has to answer all at once."""
    return [nn.functional.binary_cross_entropy_with_logits(o[:, 0], answer) for answer in answers.T]


def questions(seed: int, dtype: torch.dtype) -> TensorDataset:
    x = normal(300, 6, seed=seed) * torch.logspace(0, -2, 6, dtype=torch.float64)
    noise = 0.8 * normal(300, 3, seed=seed + 1)
    return TensorDataset(x.to(dtype), (x @ normal(6, 3, seed=seed + 2) + noise > 0).to(dtype))


def stopped_early(data: TensorDataset, m: int, epochs: int, **options: float) -> pn.ModelProblem:
    """Logistic regression after a few epochs of Adam: convex, and not at its optimum."""
    x, answers = data.tensors
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = nn.Linear(6, 1).to(x.dtype)
    adam = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(epochs):
        for k in range(0, len(x), 50):
            adam.zero_grad()
            torch.stack(entropies(model(x[k : k + 50]), answers[k : k + 50])[:m]).sum().backward()
            adam.step()
    losses = {name: (lambda o, batch, i=i: entropies(o, batch[1])[i]) for i, name in enumerate(NAMES[:m])}
    return pn.ModelProblem(model, losses, data, batch_size=50, **options)


def optimum(data: TensorDataset) -> float:
    """The least "a", by L-BFGS."""
    x, answers = (t.double() for t in data.tensors)
    theta = torch.zeros(7, dtype=torch.float64, requires_grad=True)
    lbfgs = torch.optim.LBFGS(
        [theta], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        lbfgs.zero_grad()
        value = entropies((x @ theta[:6] + theta[6])[:, None], answers)[0]
        value.backward()  # type: ignore[no-untyped-call]
        return value.detach()

    lbfgs.step(loss)  # type: ignore[no-untyped-call]
    return float(loss())


@pytest.mark.slow
@settings(max_examples=4, deadline=None)
@given(
    m=st.sampled_from([2, 3]),
    epochs=st.sampled_from([3, 10]),
    off=st.sampled_from([-0.02, 0.0, 0.002, 0.01]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 100),
)
def test_what_further_training_reaches_is_not_out_of_reach(
    m: int, epochs: int, off: float, dtype: torch.dtype, seed: int
) -> None:
    data = questions(seed, dtype)
    least = optimum(data)
    nav = pn.Navigator(stopped_early(data, m, epochs))
    nav.start()
    if least + off >= nav.here.losses["a"]:
        return
    step = nav.step(pn.Aim({"a": least + off}))
    assert (
        "out of reach" not in step.reason
    )  # without weight decay the curvature is damped, and nothing is proved
    if step.status is not pn.StepStatus.ACCEPTED:
        assert step.reason.startswith("the target was not reached: it came to a 0.")
        assert "further training may come nearer" in step.reason or "short legs" in step.reason


@pytest.mark.slow
def test_what_no_training_reaches_is_out_of_reach() -> None:
    """With weight decay and a corrector that goes all the way, the end of the front is one."""
    data = questions(1, torch.float64)
    nav = pn.Navigator(
        stopped_early(data, 2, 3, weight_decay=1e-2),
        corrector=Newton(tolerance=1e-10, max_corrections=10),
        geometry=pn.Geometry(samples=None, tolerance=1e-8),
    )
    nav.start()
    step = nav.step(pn.Aim({"a": 0.5 * optimum(data)}))
    assert step.status is pn.StepStatus.SHORTENED
    assert step.reason.startswith("the target is out of reach: ")


@pytest.mark.parametrize("share", [1e-9, 1e-5])
def test_a_target_that_is_met_at_once_is_reached(share: float) -> None:
    nav = pn.Navigator(stopped_early(questions(2, torch.float64), 2, 3))
    before = nav.start().losses["a"]
    step = nav.step(pn.Aim({"a": before * (1 - share)}))
    assert step.status is pn.StepStatus.ACCEPTED
    assert step.point.losses["a"] <= before * (1 + 1e-12)
    assert step.explain().endswith("The target is reached.")


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_a_point_is_settled_where_training_would_gain_next_to_nothing_of_what_is_lacking(unit: float) -> None:
    """In any units, and on whichever side the joint gain is; what is held or damped proves nothing."""
    problem = pn.problems.quadratic(n=6, m=2)
    half = torch.full((2,), 0.5, dtype=torch.float64)
    tangent = replace(tangent_at(problem, problem.pareto_point(half), half), damping=0.0)
    front = measure_front(problem, tangent, Geometry())
    front = replace(front, losses=unit * front.losses)
    lacking = 0.5 * front.losses[0]
    wish = pn.Aim({"f1": front.losses[0] - lacking}).wish(situation(front))

    def settled(gain: float, stochastic: bool = True, at: Tangent = tangent, **changed: Any) -> bool:
        return is_settled(
            replace(front, joint_gain=gain * lacking, **changed), at, wish, stochastic=stochastic
        )

    for sign in (1, -1):
        assert settled(sign * 0.0049)
        assert not settled(sign * 0.0051)
    assert not settled(0.0, anchor=Anchor(0.01, 0.01, ""))
    damped = replace(tangent, damping=1e-3)
    assert not settled(0.0, at=damped)
    assert settled(0.0, stochastic=False, at=damped)
