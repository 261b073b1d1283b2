"""The whole way from a preference to a new point, on problems whose front is known and on real data."""

import itertools

import numpy as np
import pytest
import torch

import paretonav as pn


def vector(values: dict[str, float]) -> torch.Tensor:
    return torch.tensor(list(values.values()), dtype=torch.float64)


def relative_error(predicted: dict[str, float], achieved: dict[str, float]) -> float:
    return float((vector(predicted) - vector(achieved)).norm() / vector(predicted).norm())


@pytest.mark.parametrize("m", range(2, 7))
@pytest.mark.parametrize("seed", range(2))
def test_quadratics(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=50, m=m, seed=seed)
    nav = pn.Navigator(problem)
    start = nav.start()
    assert abs(problem.front_distance(start.measured.train.mean)) < 1e-6
    wish = pn.Improve({"f1": 1.0} if m == 2 else {"f1": 0.7, "f2": 0.3}, units="absolute")

    view = nav.preview(wish, 0.05)
    off = problem.front_distance(start.measured.train.mean + vector(view.predicted.train))
    assert abs(off) <= 0.02 * float(vector(view.predicted.train).norm())

    step = nav.step(wish, 0.05)
    assert step.status == pn.StepStatus.ACCEPTED
    assert abs(problem.front_distance(step.point.measured.train.mean)) < 1e-6
    assert step.achieved.train["f1"] == pytest.approx(-0.05 * start.losses["f1"], rel=1e-4)
    if m > 2:
        assert step.achieved.train["f1"] / step.achieved.train["f2"] == pytest.approx(7 / 3, rel=1e-3)
    assert relative_error(step.predicted.train, step.achieved.train) < 0.02
    # The reported weights are those for which the exact solution is this point.
    torch.testing.assert_close(
        problem.pareto_point(vector(step.point.weights)), step.point.parameters, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("m", [3, 5])
def test_quadratics_hold(m: int) -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=20, m=m, seed=4))
    nav.start()
    step = nav.step(pn.Improve({"f1": 1.0}, hold=["f2"]), 0.05)
    assert abs(step.achieved.train["f2"]) < 1e-4 * abs(step.achieved.train["f1"])


@pytest.mark.parametrize("m", [3, 5])
def test_quadratics_in_a_box(m: int) -> None:
    problem = pn.problems.quadratic(n=12, m=m, seed=1, bounds=(-0.15, 0.15))
    nav = pn.Navigator(problem)
    nav.start()
    rng = np.random.default_rng(0)
    for _ in range(5):
        first, second = rng.permutation(list(problem.names))[:2].tolist()
        wish = pn.Improve({first: 0.7, second: 0.3}, units="absolute")
        amount = 0.5 * min(0.06, nav.preview(wish, 1e-6).reach)
        step = nav.step(wish, amount)
        assert step.status != pn.StepStatus.REJECTED
        x = step.point.parameters
        assert ((x >= -0.15) & (x <= 0.15)).all()
        assert ((x == -0.15) | (x == 0.15)).any()  # the box matters
        assert abs(problem.front_distance(step.point.measured.train.mean)) < 1e-6


@pytest.mark.parametrize("m", [3, 5])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_ten_steps_on_dtlz(k: int, m: int) -> None:
    problem = pn.problems.dtlz(k, m=m, n=12)
    nav = pn.Navigator(problem)
    nav.start()
    rng = np.random.default_rng(k)
    for _ in range(10):
        first, second = rng.permutation(list(problem.names))[:2].tolist()
        wish = pn.Improve({first: 0.7, second: 0.3}, units="absolute")
        amount = min(0.05, 0.9 * nav.preview(wish, 1e-6).reach)
        step = nav.step(wish, amount)
        assert step.status == pn.StepStatus.ACCEPTED
        assert step.achieved.train[first] / step.achieved.train[second] == pytest.approx(7 / 3, rel=0.05)
        assert problem.front_distance(step.point.measured.train.mean) < 1e-4
        assert relative_error(step.predicted.train, step.achieved.train) < 0.1


@pytest.mark.parametrize("k", [1, 2])
def test_zdt(k: int) -> None:
    problem = pn.problems.zdt(k)
    nav = pn.Navigator(problem)
    nav.start()
    for name in ("f1", "f2", "f1", "f1", "f2"):
        step = nav.step(pn.Improve({name: 1.0}), 0.05)
        assert step.status == pn.StepStatus.ACCEPTED
        assert step.achieved.train[name] / step.requested.shown[name] == pytest.approx(1, rel=0.01)
        assert problem.front_distance(step.point.measured.train.mean) < 1e-6


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_published_method_improves_what_is_selected(k: int) -> None:
    problem = pn.problems.dtlz(k, m=3, n=12)
    nav = pn.Navigator(problem, **pn.ppe())
    nav.start()
    for wish in (pn.Improve({"f1": 1.0}), pn.Improve({"f2": 0.7, "f3": 0.3})):
        before = nav.here
        step = nav.step(wish)
        if step.status == pn.StepStatus.REJECTED:
            assert nav.here is before
            torch.testing.assert_close(problem.parameters(), before.parameters, rtol=0, atol=0)
        else:
            assert all(step.achieved.train[name] < 0 for name in wish.weights)


@pytest.fixture(scope="module")
def digits() -> tuple[pn.Navigator, float]:
    problem = pn.problems.digits()
    nav = pn.Navigator(problem)
    start = nav.start()
    return nav, float(start.measured.train.mean.mean())


@pytest.mark.slow
def test_digits_start_is_critical_and_its_tasks_compete(digits: tuple[pn.Navigator, float]) -> None:
    nav, scale = digits
    assert nav.records[0].joint_gain < 0.02 * scale
    rates = nav.session.point(0).trade_offs
    assert all(0 < rates[a][b] < 10 for a in rates for b in rates[a])


@pytest.mark.slow
def test_digits_steps_come_true_on_validation(digits: tuple[pn.Navigator, float]) -> None:
    """What improves two at once is dear for the third, and some of it ends where an accuracy no longer comes true."""
    nav, _ = digits
    names = nav.problem.names
    alone = [pn.Improve({name: 1.0}) for name in names]
    pairs = [pn.Improve({a: 0.7, b: 0.3}, units="absolute") for a, b in itertools.permutations(names, 2)]
    ends = []
    for wish in [*alone, *pairs]:
        here = nav.go_to(0)
        step = nav.step(wish, 0.05)
        ends.append(step.status)
        if step.status == pn.StepStatus.REJECTED:
            assert "came out" in step.reason
            assert nav.here is step.point is here
            torch.testing.assert_close(nav.problem.parameters(), here.parameters, rtol=0, atol=0)
            continue
        assert all(step.achieved.validation[name] < 0 for name in wish.weights)
        off = 0.08 if step.legs == 1 else 0.1  # of several legs what was predicted is a guess
        assert relative_error(step.predicted.validation, step.achieved.validation) < off
        assert relative_error(step.predicted.train, step.achieved.train) < off
    assert ends[: len(alone)] == [pn.StepStatus.ACCEPTED] * len(alone)
    assert ends.count(pn.StepStatus.REJECTED) <= 1
    assert ends.count(pn.StepStatus.ACCEPTED) >= len(alone) + 2


@pytest.mark.slow
def test_digits_holds_hold_on_validation(digits: tuple[pn.Navigator, float]) -> None:
    nav, _ = digits
    for a, b in itertools.permutations(nav.problem.names, 2):
        nav.go_to(0)
        step = nav.step(pn.Improve({a: 1.0}, hold=[b]), 0.05)
        assert abs(step.achieved.validation[b]) < 0.1 * abs(step.achieved.validation[a])


@pytest.mark.slow
def test_the_published_method_on_digits(digits: tuple[pn.Navigator, float]) -> None:
    trained, _ = digits
    trained.go_to(0)
    nav = pn.Navigator(trained.problem, **pn.ppe())
    nav.start()
    step = nav.step(pn.Improve({"west": 1.0}))
    assert step.status == pn.StepStatus.ACCEPTED
    assert step.achieved.train["west"] < 0
    # Its projection need not descend two objectives at once; if so, nothing may have moved.
    before = nav.here
    step = nav.step(pn.Improve({"west": 0.7, "east": 0.3}, units="absolute"))
    if step.status == pn.StepStatus.REJECTED:
        assert nav.here is before
        torch.testing.assert_close(nav.problem.parameters(), before.parameters, rtol=0, atol=0)
    else:
        assert max(step.achieved.train["west"], step.achieved.train["east"]) < 0
