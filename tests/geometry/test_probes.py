"""Slopes and bends by going there, against dense derivatives."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tensors import normal
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry.probes import Probes, first_lengths
from paretonav.geometry.sizes import relative_sizes
from paretonav.statistics import quantile

FEW = settings(max_examples=15, deadline=None, derandomize=True)
LEVEL = pn.Metric(lambda o, b: (o[:, 0] * b[1][:, 1]).mean(), higher_is_better=True)
SHARE = pn.Metric(lambda o, b: (o[:, 0] > b[1][:, 0]).double().mean(), higher_is_better=False)


def squares(k: int) -> Any:
    """Of a linear model: quadratic in its parameters."""
    return lambda o, b: (o[:, 0] - b[1][:, k]).square().mean()


def regression(m: int = 2, n: int = 5, for_validation: int = 60, **options: Any) -> pn.ModelProblem:
    """Linear regressions that share their parameters; validation data are others."""
    x, noise = normal(100 + for_validation, n, seed=0), normal(100 + for_validation, m, seed=1)
    y = x @ normal(n, m, seed=2) + 0.3 * noise
    model = nn.Linear(n, 1, bias=False).double()
    with torch.no_grad():
        model.weight.copy_(0.5 * normal(1, n, seed=3))
    arguments: dict[str, Any] = {
        "metrics": {"level": LEVEL, "share": SHARE},
        "batch_size": 10,
    } | options
    validation = TensorDataset(x[100:], y[100:]) if for_validation else None
    losses = {f"task {k}": squares(k) for k in range(m)}
    return pn.ModelProblem(model, losses, TensorDataset(x[:100], y[:100]), validation, **arguments)


def batches_of(problem: pn.ModelProblem, theta: Tensor, split: Any) -> Tensor:
    losses = problem.evaluate(theta, split)
    return (
        torch.cat([losses.batches, losses.metric_batches], dim=1) if losses.metric_names else losses.batches
    )


def guess(problem: pn.ModelProblem, directions: Tensor) -> np.ndarray:
    losses, jacobian = problem.jacobian(problem.parameters())
    return first_lengths(jacobian @ directions.T, losses.mean)


def gone(
    problem: pn.Problem, theta: Tensor, directions: Tensor, split: Any, lengths: np.ndarray
) -> tuple[Probes, np.ndarray]:
    """The probes, and the coordinates of all points where something was measured on all the data, [d, k]."""
    points, probe = [], problem.probe

    def spied(at: Any, split: Any = "train", batches: Any = None, **more: Any) -> Any:
        at = list(at)
        points.extend([] if batches else at)
        return probe(at, split, batches, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem, "probe", spied)
        probes = Probes.along(problem, theta, directions, split, lengths)
    ways = torch.stack(points) - theta
    return probes, (ways @ torch.linalg.pinv(directions)).numpy()


@FEW
@given(m=st.integers(2, 6), fewer=st.integers(0, 3), seed=st.integers(0, 1000))
def test_on_a_quadratic_they_are_the_derivatives(m: int, fewer: int, seed: int) -> None:
    """However many directions: the rays determine the bends of some, the rest takes pairs."""
    k = max(1, m - fewer)
    problem = pn.problems.quadratic(n=9, m=m, seed=seed)
    theta, directions = normal(9, seed=seed), normal(k, 9, seed=seed + 1)
    losses, jacobian = problem.jacobian(theta)
    lengths = first_lengths(jacobian @ directions.T, losses.mean)
    probes = Probes.along(problem, theta, directions, "train", lengths)
    torch.testing.assert_close(probes.response.mean, jacobian @ directions.T, rtol=1e-8, atol=1e-8)
    dense = torch.einsum("aj,ijk,bk->iab", directions, problem.Q, directions)
    np.testing.assert_allclose(probes.bend, dense, rtol=1e-6, atol=1e-6 * float(dense.abs().max()))
    np.testing.assert_array_equal(probes.bend, probes.bend.swapaxes(1, 2))
    torch.testing.assert_close(probes.before.mean, losses.mean)


def two(first: Any, second: Any, at: Tensor) -> pn.FunctionProblem:
    return pn.FunctionProblem(lambda x: torch.stack([first(x), second(x)]), at)


@pytest.mark.parametrize("aside", [0, 1e-9, 1e-6, 1e-3, 0.03, 0.1, 1.0])
@pytest.mark.parametrize("rough", [0.0, 0.1])
def test_a_loss_that_falls_along_a_direction_or_nearly_bends_as_any_other(aside: float, rough: float) -> None:
    """Then its ray says next to nothing of what is mixed, and what is no parabola along it is not taken for that."""

    def bumps(x: Tensor) -> Tensor:
        """At most a part ``rough`` of the bend at the size of a ray."""
        return rough * 10 * x.pow(4).sum() / 0.03**2

    problem = two(
        lambda x: 1 + x[0] + aside * x[1] + 5 * (x[0] + x[1]).square() + bumps(x),
        lambda x: 1 + x[1] + 5 * (x[0] - x[1]).square() + bumps(x),
        torch.zeros(2).double(),
    )
    probes = Probes.along(
        problem, problem.parameters(), torch.eye(2).double(), "train", np.array([0.01, 0.01])
    )
    expected = 10 * np.array([[[1, 1], [1, 1]], [[1, -1], [-1, 1]]])
    np.testing.assert_allclose(probes.bend, expected, atol=1e-6 + 100 * rough)


@FEW
@given(k=st.integers(1, 5), size=st.floats(0, 3), seed=st.integers(0, 1000))
def test_a_cubic_term_does_not_disturb_by_more_than_its_size(k: int, size: float, seed: int) -> None:
    """What is predicted where it was measured is off by no more than that term is there; without it nothing is."""
    m, theta = max(2, k), torch.zeros(6).double()
    slopes, A, cubes = normal(m, 6, seed=seed), normal(m, 6, 6, seed=seed + 1), normal(m, 6, seed=seed + 2)

    def cubic(x: Tensor) -> Tensor:
        return size * 100 * (cubes @ x).pow(3)

    def fn(x: Tensor) -> Tensor:
        return 1 + slopes @ x + (A @ x).square().sum(dim=1) + cubic(x)

    problem, directions = pn.FunctionProblem(fn, theta), torch.linalg.qr(normal(6, k, seed=seed + 3))[0].T
    lengths = first_lengths(slopes @ directions.T, torch.ones(m).double())
    probes, points = gone(problem, theta, directions, "train", lengths)
    dense = 2 * torch.einsum("aj,isj,isl,bl->iab", directions, A, A, directions)
    if k == 1 or size == 0:  # ways are gone forwards and backwards, but for sums of two directions
        np.testing.assert_allclose(probes.bend, dense, rtol=1e-5, atol=1e-5 * float(dense.abs().max()))
    largest = np.max([cubic(torch.from_numpy(c) @ directions).abs().numpy() for c in points], axis=0)
    for c in points:
        predicted = probes.response.mean.numpy() @ c + 0.5 * probes.bend @ c @ c
        actual = (fn(torch.from_numpy(c) @ directions) - 1).numpy()
        assert (np.abs(predicted - actual) <= 2 * largest + 1e-12).all()


@FEW
@given(k=st.integers(1, 4), exponent=st.floats(-6, 6), which=st.integers(0, 3), seed=st.integers(0, 1000))
def test_units_and_order_make_no_difference(k: int, exponent: float, which: int, seed: int) -> None:
    scales = torch.ones(4).double()
    scales[which] = 10**exponent
    order, turned = torch.randperm(4, generator=torch.Generator().manual_seed(seed)), np.arange(k)[::-1]
    slopes, A, theta = normal(4, 6, seed=seed), normal(4, 6, 6, seed=seed + 1), torch.zeros(6).double()

    def fn(x: Tensor) -> Tensor:
        return 2 + slopes @ x + (A @ x).square().sum(dim=1) + (A.sum(dim=1) @ x).sin()

    plain = pn.FunctionProblem(fn, theta)
    other = pn.FunctionProblem(lambda x: (scales * fn(x))[order], theta)
    directions = torch.linalg.qr(normal(6, k, seed=seed + 2))[0].T
    lengths = np.linspace(1e-3, 3e-3, k)
    one = Probes.along(plain, theta, directions, "train", lengths)
    two = Probes.along(other, theta, directions[turned.copy()], "train", lengths[turned])
    expected = (scales[:, None] * one.response.mean)[order][:, turned.copy()]
    torch.testing.assert_close(
        two.response.mean, expected, rtol=1e-6, atol=1e-9 * float(expected.abs().max())
    )
    bends = (scales.numpy()[:, None, None] * one.bend)[order][:, turned][:, :, turned]
    np.testing.assert_allclose(two.bend, bends, rtol=1e-3, atol=1e-6 * np.abs(one.bend).max() * 10**exponent)


@pytest.mark.parametrize("split", ["validation", "train"])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_slopes_are_known_batch_by_batch(split: Any, k: int) -> None:
    """Those of squares and of what is linear are the derivatives."""
    problem = regression(m=max(2, k))
    theta, directions = problem.parameters(), normal(k, 5, seed=7)
    probes = Probes.along(problem, theta, directions, split, guess(problem, directions))
    assert probes.before.metric_names == (("level", "share") if split == "validation" else ())
    width = problem.m + (2 if split == "validation" else 0)
    assert probes.bend.shape == (width, k, k)
    data = problem.evaluate(theta, split)
    assert torch.equal(probes.response.fractions, data.fractions)
    assert probes.response.examples == data.examples
    assert probes.response.batches.shape == (len(data.fractions), width, k)
    derived = problem.response(theta, directions, split)[1].batches
    smooth = slice(0, problem.m + (1 if split == "validation" else 0))
    torch.testing.assert_close(probes.response.batches[:, smooth], derived[:, smooth], rtol=1e-8, atol=1e-8)


def test_standard_errors_are_those_of_the_batches_and_unknown_for_few_examples() -> None:
    directions, c = normal(2, 5, seed=7), torch.tensor([0.3, -0.2]).double()
    known, unknown = (regression(for_validation=count) for count in (60, 31))
    probes = Probes.along(known, known.parameters(), directions, "validation", guess(known, directions))
    along = probes.response.batches @ c
    shares = probes.response.fractions
    expected = (shares @ (along - shares @ along).square() / (len(shares) - 1)).sqrt()
    found = probes.response.along(c)[1]
    assert found is not None
    torch.testing.assert_close(found, expected)
    assert len(unknown.evaluate(unknown.parameters(), "validation").fractions) >= 4
    probes = Probes.along(unknown, unknown.parameters(), directions, "validation", guess(unknown, directions))
    assert probes.response.along(c)[1] is None


def test_a_metric_without_derivative_has_the_slope_that_fits_a_step() -> None:
    """A rate has none; over the size of a step it has a slope."""
    problem = regression(for_validation=600)
    theta, directions = problem.parameters(), normal(1, 5, seed=7)
    probes, points = gone(problem, theta, directions, "validation", guess(problem, directions))
    here = problem.evaluate(theta, "validation")
    found = [problem.evaluate(theta + float(c[0]) * directions[0], "validation") for c in points]
    changes = np.array([losses.metrics["share"] - here.metrics["share"] for losses in found])
    assert float(probes.response.mean[3, 0]) == pytest.approx(changes @ points[:, 0] / (points**2).sum())
    largest = sorted(float(((losses.mean - here.mean) / here.mean).abs().max()) for losses in found)
    assert 0.003 <= largest[1] <= 0.03  # the first is the point itself
    assert 0.02 <= largest[-1] <= 0.05


def farthest_alone(points: np.ndarray, j: int) -> np.ndarray:
    """Of the points along direction j alone the last one."""
    alone = np.abs(points[:, j]) > (1 - 1e-9) * np.linalg.norm(points, axis=1)
    return np.asarray(points[alone & (points[:, j] != 0)][-1])


@pytest.mark.slow
@FEW
@given(exponent=st.floats(-5, 5), seed=st.integers(0, 100))
def test_a_length_that_is_far_too_long_or_short_is_mended(exponent: float, seed: int) -> None:
    problem = regression()
    theta, directions = problem.parameters(), torch.linalg.qr(normal(5, 2, seed=seed))[0].T
    right = guess(problem, directions)
    probes, points = gone(problem, theta, directions, "validation", right * 10**exponent)
    here = problem.evaluate(theta, "validation").mean

    def change(c: np.ndarray) -> float:
        end = problem.evaluate(theta + torch.from_numpy(c) @ directions, "validation").mean
        return float(((end - here) / here).abs().max())

    for j in range(2):
        last = farthest_alone(points, j)
        assert 0.003 <= max(change(last), change(-last)) <= 0.03
    rays = points[-4:]
    assert 0.02 <= max(change(c) for c in rays) <= 0.06
    # On a quadratic it makes no difference to what is measured.
    at_once = Probes.along(problem, theta, directions, "validation", right)
    torch.testing.assert_close(probes.response.mean[:2], at_once.response.mean[:2], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(probes.bend[:2], at_once.bend[:2], rtol=1e-3, atol=1e-3)


def test_a_good_guess_costs_two_passes_a_direction_and_a_loss() -> None:
    """And one for each pair, where losses say too little of what is mixed."""
    problem = regression(for_validation=0, metrics=None)
    directions = normal(2, 5, seed=7)
    lengths = guess(problem, directions)
    for options, expected in (
        ({}, 1 + 2 * 2 + 2 * 2),
        ({"before": problem.evaluate(problem.parameters())}, 2 * 2 + 2 * 2),
        ({"rays": False}, 1 + 2 * 2 + 1),
        ({"batches": 5}, 0.5 * (1 + 2 * 2 + 2 * 2)),
    ):
        before = problem.cost.forward_passes
        probes = Probes.along(problem, problem.parameters(), directions, "train", lengths, **options)
        assert problem.cost.forward_passes - before == pytest.approx(expected)
        assert probes.bend.any()


@pytest.mark.parametrize(("k", "size", "batches"), [(4, 64, 4), (6, 128, 2), (7, 600, 1)])
def test_pairs_are_measured_on_few_examples(k: int, size: int, batches: int) -> None:
    """Which is enough where these are like the others."""
    x, noise = normal(size, 9, seed=0).repeat(10, 1), normal(size, 2, seed=1).repeat(10, 1)
    y = x @ normal(9, 2, seed=2) + 0.3 * noise
    model = nn.Linear(9, 1, bias=False).double()
    losses = {f"task {i}": squares(i) for i in range(2)}
    problem = pn.ModelProblem(model, losses, TensorDataset(x, y), batch_size=size)
    alike = problem.evaluate(problem.parameters()).batches
    torch.testing.assert_close(alike, alike[:1].expand(10, 2))
    theta, directions = problem.parameters(), normal(k, 9, seed=7)
    lengths = guess(problem, directions)
    before = problem.cost.forward_passes
    probes = Probes.along(problem, theta, directions, "train", lengths)
    spent = problem.cost.forward_passes - before
    least = 1 + 2 * k + 2 * 2 + batches / 10 * (1 + k + k * (k - 1) / 2)
    assert least - 1e-9 <= spent <= least + 2 * k, "and some lengths may have to be mended"
    dense = 2 / len(x) * (x @ directions.T).T @ (x @ directions.T)
    for bend in probes.bend:
        np.testing.assert_allclose(bend, dense, rtol=1e-5, atol=1e-5 * float(dense.max()))


@pytest.mark.slow
@FEW
@given(seed=st.integers(0, 1000))
def test_a_bend_that_may_be_noise_does_not_count(seed: int) -> None:
    """A rate goes by leaps: its second differences at the size of a step say nothing; those of a square do."""
    square = pn.Metric(lambda o, b: (o[:, 0] - b[1][:, 1]).square().mean(), higher_is_better=False)
    problem = regression(for_validation=600, metrics={"share": SHARE, "square": square})
    theta, directions = problem.parameters(), normal(1, 5, seed=seed)
    probes, points = gone(problem, theta, directions, "validation", guess(problem, directions))
    assert probes.bend[3, 0, 0] == pytest.approx(probes.bend[1, 0, 0]), "which is the loss of the second task"
    here, (_, *found) = problem.evaluate(theta, "validation"), points[:, 0]
    ahead = np.abs(np.array(found[-6::2]))  # along the direction, and both rays
    sums = [
        sum(problem.evaluate(theta + s * h * directions[0], "validation").metric_batches for s in (-1, 1))
        for h in ahead
    ]
    turns = torch.stack([each - 2 * here.metric_batches for each in sums])[:, :, 0]  # [3, b]
    fits = torch.from_numpy(ahead**2 / (ahead**4).sum()) @ turns  # [b]
    mean = float(fits @ here.fractions)
    error = float((((fits - mean).square() @ here.fractions) / (len(here.fractions) - 1)).sqrt())
    clear = mean if abs(mean) > quantile(len(fits)) * error else 0.0
    assert probes.bend[2, 0, 0] == pytest.approx(clear, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_a_bend_of_a_metric_with_unknown_errors_does_not_count(k: int) -> None:
    problem = regression(for_validation=20)
    directions = normal(k, 5, seed=7)
    probes = Probes.along(problem, problem.parameters(), directions, "validation", guess(problem, directions))
    assert probes.bend[:2].all()
    assert not probes.bend[2:].any()
    assert probes.response.mean[2].all(), "its slope does"


def gaps(offset: float) -> pn.ModelProblem:
    """A linear model whose two last objectives and one metric are sizes of signed means, which are linear in it."""
    x, y = normal(60, 5, seed=0) + 0.5, normal(60, 1, seed=1)

    def size(of: int) -> pn.Aggregate:
        def means(o: Tensor, b: Any) -> Tensor:
            return (o[:, 0] * b[0][:, of]).mean()[None] + offset

        return pn.Aggregate(means, lambda s: s[0].square(), shown=lambda s: s[0], absolute=True)

    losses = {"square": squares(0), "first": size(0), "second": size(1)}
    data = TensorDataset(x, y)
    metrics = {"third": pn.Metric(size(2), higher_is_better=False)}
    model = nn.Linear(5, 1, bias=False).double()
    with torch.no_grad():
        model.weight.zero_()
    return pn.ModelProblem(model, losses, data, validation=data, metrics=metrics, batch_size=10)


@pytest.mark.parametrize("offset", [0.0, 1e-9, -1e-6, 1e-3, -1e-3, -0.02, 0.3])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_what_is_an_absolute_value_has_the_slope_on_its_side_of_zero_and_no_bend(
    offset: float, k: int
) -> None:
    """However close zero is, and with one sign along all directions where it is at zero itself."""
    problem = gaps(offset)
    directions, theta = normal(k, 5, seed=7), problem.parameters()
    x = normal(60, 5, seed=0) + 0.5
    probes = Probes.along(problem, theta, directions, "validation", guess(problem, directions))
    slopes = (x @ directions.T).T @ x[:, :3] / len(x)  # [k, 3]
    side = -1.0 if offset < 0 else 1.0
    torch.testing.assert_close(probes.response.mean[1:], side * slopes.T, rtol=1e-8, atol=1e-10)
    assert np.abs(probes.bend[1:]).max() <= 1e-6 * np.abs(probes.bend[0]).max()


class Cliff(pn.FunctionProblem):
    """Finite at the start only, up to some distance."""

    def __init__(self, distance: float) -> None:
        def fn(x: Tensor) -> Tensor:
            values = torch.stack([(x - 1).square().sum(), (x + 1).square().sum()])
            return values if bool(x.norm() <= distance) else values * float("nan")

        super().__init__(fn, torch.zeros(2).double())


@pytest.mark.parametrize("distance", [1.0, 0.0205, 0.014, 0.01, 1e-3])
def test_where_a_loss_is_not_finite_the_length_is_shortened(distance: float) -> None:
    """And ways that lead beyond, though the directions do not, do not count."""
    problem, directions = Cliff(distance), torch.eye(2).double()
    probes = Probes.along(problem, problem.parameters(), directions, "train", np.array([1.0, 1.0]))
    torch.testing.assert_close(probes.response.mean, torch.tensor([[-2.0, -2.0], [2.0, 2.0]]).double())
    np.testing.assert_allclose(probes.bend, [2 * np.eye(2)] * 2, atol=1e-6)


def test_where_it_is_finite_nowhere_the_slopes_are_not_either() -> None:
    problem, directions = Cliff(0.0), torch.eye(2).double()
    probes = Probes.along(problem, problem.parameters(), directions, "train", np.array([1.0, 1.0]))
    assert not probes.response.mean.isfinite().any()
    assert not np.isfinite(probes.bend).any()


@FEW
@given(st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=5))
def test_sizes_are_magnitudes_and_never_zero(values: list[float]) -> None:
    losses = np.array(values)
    sizes = relative_sizes(losses)
    assert (sizes > 0).all()
    assert (sizes >= np.abs(losses)).all()
    large = np.abs(losses) > 1e-8 * np.abs(losses).max()
    np.testing.assert_array_equal(sizes[large], np.abs(losses)[large])
    closing = relative_sizes(losses, np.ones(len(losses), dtype=bool))
    np.testing.assert_allclose(closing, np.maximum(sizes, 0.05 * max(np.abs(losses).max(), 1e-290)))


def test_first_lengths_change_the_fastest_loss_by_one_per_cent() -> None:
    response = torch.tensor([[2.0, 0.0, 0.1], [10.0, 0.0, 1.0]]).double()
    lengths = first_lengths(response, torch.tensor([1.0, 100.0]).double())
    assert lengths[[0, 2]] == pytest.approx([0.005, 0.1])
    assert np.isfinite(lengths[1]), "however long, where nothing changes"


def test_a_direction_along_which_nothing_changes_has_no_slope_and_no_bend() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x[0] - 1).square(), (x[0] + 1).square()]), torch.zeros(2).double()
    )
    directions = torch.eye(2).double()
    lengths = first_lengths(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]).double(), torch.ones(2).double())
    before = problem.cost.forward_passes
    probes = Probes.along(problem, problem.parameters(), directions, "train", lengths)
    torch.testing.assert_close(probes.response.mean[:, 1], torch.zeros(2).double(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(probes.bend[:, 1], 0, atol=1e-9)
    np.testing.assert_allclose(probes.bend[:, 0, 0], 2, rtol=1e-6)
    assert problem.cost.forward_passes - before == 1 + 2 * 2 + 2 * 2 + 1, "nothing is tried twice"


@pytest.mark.parametrize("apart", [1.0, 1e-3, 1e-6, 1e-9])
def test_first_lengths_stay_near_where_losses_only_bend(apart: float) -> None:
    """Where tasks hardly compete the losses change in second order only along the front."""
    response, bend = apart**2 * torch.tensor([[1.0], [-1.0]]).double(), 2 * np.full((2, 1, 1), apart**2)
    (length,) = first_lengths(response, torch.ones(2).double(), bend)
    change = apart**2 * np.array([1.0, -1.0]) * length + apart**2 * length**2
    assert 0.0099 <= np.abs(change).max() <= 0.0201


@FEW
@given(distance=st.floats(0.26, 0.99))
def test_beyond_a_length_that_was_too_long_none_is_tried_again(distance: float) -> None:
    """Where a loss hardly changes up to the cliff, a quarter of it is far enough, however much longer it might be."""

    def fn(x: Tensor) -> Tensor:
        values = torch.stack([1 + 1e-3 * x.sum(), 1 - 1e-3 * x.sum()])
        return values if bool(x.norm() <= distance) else values * float("nan")

    problem, tried = pn.FunctionProblem(fn, torch.zeros(1).double()), []
    probe = problem.probe

    def spied(points: Any, *rest: Any, **more: Any) -> Any:
        points = list(points)
        tried.append(max(float(point.norm()) for point in points))
        return probe(points, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem, "probe", spied)
        probes = Probes.along(
            problem, problem.parameters(), torch.ones(1, 1).double(), "train", np.array([1.0])
        )
    assert probes.lengths == pytest.approx([0.25])
    assert tried[1] == 1.0  # after the point itself
    assert max(tried[2:-1]) == pytest.approx(0.25)  # the last are the ways along which losses change most
    torch.testing.assert_close(probes.response.mean, torch.tensor([[1e-3], [-1e-3]]).double())
