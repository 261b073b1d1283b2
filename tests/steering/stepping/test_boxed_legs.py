"""Boxed quadratics whose long steps have come out far from what was predicted."""

import numpy as np
import pytest
import torch

import paretonav as pn

Wishes = list[tuple[str, float]]

FAR: list[tuple[int, int, int, float, float, Wishes]] = [
    # Near the edge of the front, where it bends more than to second order (the bounds that are active stay the same).
    (
        10,
        3,
        591,
        1e4,
        0.1,
        [("f1", 0.1), ("f1", 0.18281250000000002), ("f3", 0.24), ("f2", 0.785885009765625)],
    ),
    # Across creases: three parameters are let go of, and one is caught.
    (13, 3, 506, 100.0, 0.1, [("f2", 0.0676422119140625), ("f2", 0.24), ("f1", 0.24), ("f2", 0.24)]),
]


def boxed(n: int, m: int, seed: int, condition: float, width: float, inside: bool) -> pn.Navigator:
    generator = torch.Generator().manual_seed(seed)
    lower, upper = (
        sign * width * torch.rand(n, generator=generator, dtype=torch.float64) for sign in (-1, 1)
    )
    start = None
    if inside:
        start = lower + (upper - lower) * torch.rand(n, generator=generator, dtype=torch.float64)
    nav = pn.Navigator(
        pn.problems.quadratic(n=n, m=m, seed=seed, condition=condition, bounds=(lower, upper), x0=start)
    )
    nav.start()
    return nav


def worse(step: pn.Step) -> float:
    """By how much something came out worse than predicted, in parts of the largest predicted change, of own sizes."""
    achieved = np.array(list(step.achieved.train.values()))
    predicted = np.array([step.predicted.train[name] for name in step.achieved.train])
    sizes = np.abs(np.array(list(step.point.losses.values())) - achieved)
    sizes = np.maximum(sizes, 0.05 * sizes.max())
    return float(((achieved - predicted) / sizes).max() / np.abs(predicted / sizes).max())


@pytest.mark.parametrize(("n", "m", "seed", "condition", "width", "wishes"), FAR)
def test_nothing_comes_out_much_worse_than_predicted(
    n: int, m: int, seed: int, condition: float, width: float, wishes: Wishes
) -> None:
    nav = boxed(n, m, seed, condition, width, inside=seed == 506)
    for name, amount in wishes:
        try:
            step = nav.step(pn.Improve({name: 1.0}), amount)
        except pn.InfeasiblePreferenceError:
            continue  # as what had come before was taken back
        assert step.status is not pn.StepStatus.ACCEPTED or worse(step) <= 0.25


def test_a_parameter_that_is_at_its_bound_is_not_planned_with() -> None:
    """It was asked for 65 %, promised that, and came to 42 %; the bound that ends it is known beforehand."""
    nav = boxed(5, 3, 229, 10.0, 0.1, inside=True)
    nav.step(pn.Improve({"f3": 1.0}), 0.0549163818359375)
    with pytest.raises(pn.InfeasiblePreferenceError, match="reaches its bound") as refused:
        nav.step(pn.Improve({"f1": 1.0}), 0.64606201171875)
    assert refused.value.reach == pytest.approx(0.4214, rel=0.01)
    step = nav.step(pn.Improve({"f1": 1.0}), 0.99 * refused.value.reach)
    assert step.status is pn.StepStatus.ACCEPTED
    assert worse(step) <= 0.02
