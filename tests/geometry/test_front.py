"""The local front model against exact fronts."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.geometry import FrontModel, Geometry, measure_front, path_curvature, tangent_at
from paretonav.geometry.curvature import CurvatureKind
from paretonav.geometry.probes import Probes, first_lengths
from paretonav.objectives import Losses, Tally, gradients, tried_out
from paretonav.objectives.problem import Split

EXACT = Geometry(damping=0.0, tolerance=1e-12, max_iterations=500)


def model_at(
    problem: pn.FunctionProblem, x: torch.Tensor, weights: torch.Tensor
) -> tuple[FrontModel, object]:
    t = tangent_at(problem, x, weights, EXACT)
    return measure_front(problem, t, EXACT), t


@settings(max_examples=15, deadline=None)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000))
def test_path_curvature_equals_the_dense_one(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=9, m=m, seed=seed)
    V = torch.randn(m - 1, 9, generator=torch.Generator().manual_seed(seed)).double()
    tally = Tally()
    Q = path_curvature(problem.curvature_sample(), problem.parameters(), V, m, tally)
    dense = torch.einsum("aj,ijk,bk->iab", V, problem.Q, V)
    torch.testing.assert_close(Q, dense)
    assert tally.cost.hessian_products == m * (m - 1)
    weights = torch.from_numpy(np.random.default_rng(seed).dirichlet(np.ones(m)))
    known = weights, torch.tensordot(weights, dense, 1)
    less = Tally()
    Q = path_curvature(problem.curvature_sample(), problem.parameters(), V, m, less, known=known)
    torch.testing.assert_close(Q, dense)
    assert less.cost.hessian_products == (m - 1) ** 2


@pytest.mark.parametrize("light", [0.0, 1e-6])
def test_what_a_known_sum_is_off_by_is_not_magnified(light: float) -> None:
    """The bend that is left of it is that of the largest weight; one next to nothing would be divided by."""
    problem, m = pn.problems.quadratic(n=9, m=4, seed=1), 4
    V = torch.randn(m - 1, 9, generator=torch.Generator().manual_seed(0)).double()
    dense = torch.einsum("aj,ijk,bk->iab", V, problem.Q, V)
    weights = torch.tensor([0.4, 0.6 - light, 0.0, light]).double()
    for order in (range(m), range(m)[::-1]):
        turned = torch.tensor(order)
        other = pn.FunctionProblem(lambda x, turned=turned: problem.fn(x)[turned], problem.parameters())
        total = torch.tensordot(weights, dense, 1) + 1e-3
        known = weights[turned], total
        Q = path_curvature(other.curvature_sample(), other.parameters(), V, m, Tally(), known=known)
        assert float((Q - dense[turned]).abs().max()) <= 2e-3


@settings(max_examples=20, deadline=None)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000))
def test_change_is_right_to_second_order_and_lies_on_the_exact_front(m: int, seed: int) -> None:
    problem = pn.problems.quadratic(n=12, m=m, seed=seed)
    rng = np.random.default_rng(seed)
    weights = torch.from_numpy(rng.dirichlet(5 * np.ones(m)))
    x = problem.pareto_point(weights)
    front, tangent = model_at(problem, x, weights)
    direction = rng.normal(size=m - 1)
    direction /= np.linalg.norm(front.response @ direction)
    scale = float(front.losses.mean())
    s = min(0.05 * scale, 0.5 * front.edge(direction))
    c = s * direction
    predicted = front.change(c)
    # Along the linearised path a quadratic's change is exactly its second-order model.
    achieved = (problem.evaluate(tangent.point(torch.from_numpy(c))).mean - problem.evaluate(x).mean).numpy()
    np.testing.assert_allclose(predicted, achieved, rtol=1e-6, atol=1e-9)
    # And the path leaves the exact front only at higher order.
    off = problem.front_distance(torch.from_numpy(front.losses + predicted))
    first = problem.front_distance(torch.from_numpy(front.losses - front.response @ c))
    assert abs(off) <= 0.2 * abs(first) + 1e-9
    assert abs(off) <= 0.01 * np.linalg.norm(predicted)


def test_common_bend_of_many_objectives_is_the_displacement_along_one() -> None:
    m = 22
    problem = pn.problems.quadratic(n=40, m=m, seed=3)
    weights = torch.full((m,), 1 / m).double()
    front, _ = model_at(problem, problem.pareto_point(weights), weights)
    assert front.bend.shape == (1, m - 1, m - 1)
    c = np.random.default_rng(0).normal(size=m - 1)
    c *= 0.03 * front.losses.mean() / np.linalg.norm(front.response @ c)
    off = problem.front_distance(torch.from_numpy(front.losses + front.change(c)))
    first = problem.front_distance(torch.from_numpy(front.losses - front.response @ c))
    assert abs(off) <= 0.1 * abs(first)


def test_concave_front() -> None:
    problem = pn.problems.dtlz(2, m=3, n=8)
    x = torch.full((8,), 0.5).double()
    x[:2] = torch.tensor([0.4, 0.6])
    f = problem.evaluate(x).mean
    front, tangent = model_at(problem, x, f / f.sum())
    S = tangent.weight_basis.T @ tangent.objective_response
    assert float(torch.linalg.eigvalsh(0.5 * (S + S.T)).max()) < 0
    for c in np.eye(2) * 0.05 / np.abs(front.response).max():
        outcome = front.losses + front.change(c)
        assert abs(outcome @ outcome - 1) < 2e-4
        assert abs((front.losses - front.response @ c) @ (front.losses - front.response @ c) - 1) > 1e-3


def test_exchange_rates_are_those_of_the_exact_front() -> None:
    problem = pn.problems.dtlz(2, m=3, n=8)
    x = torch.full((8,), 0.5).double()
    x[:2] = torch.tensor([0.4, 0.6])
    f = problem.evaluate(x).mean.numpy()
    front, _ = model_at(problem, x, torch.from_numpy(f / f.sum()))
    rates = front.exchange_rates()  # on the sphere: f_i df_i + f_j df_j = 0
    for i in range(3):
        assert np.isnan(rates[i, i])
        for j in set(range(3)) - {i}:
            assert rates[i, j] == pytest.approx(-f[i] / f[j], rel=1e-6)


def test_edge_is_where_the_first_weight_is_spent() -> None:
    problem = pn.problems.quadratic(n=10, m=4, seed=2)
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4]).double()
    front, _ = model_at(problem, problem.pareto_point(weights), weights)
    for c in np.random.default_rng(0).normal(size=(20, 3)):
        s = front.edge(c)
        assert front.weights_at(s * c).min() == pytest.approx(0, abs=1e-6)
        assert front.weights_at(0.99 * s * c).min() > 0


def test_edge_respects_the_box() -> None:
    problem = pn.problems.zdt(2, n=5)
    x = torch.zeros(5).double()
    x[0] = 0.9
    front, tangent = model_at(problem, x, torch.tensor([0.5, 0.5]))
    outward = np.array([1.0]) * -np.sign(float(tangent.basis[0, 0]))
    s = front.edge(outward)
    assert float(tangent.point(torch.from_numpy(s * outward))[0]) <= 1 + 1e-9
    G, h, entry = front.box
    assert set(entry) == {0}
    assert (G @ (s * outward) <= h + 1e-9).all()


@settings(max_examples=20, deadline=None, derandomize=True)
@given(m=st.integers(2, 5), seed=st.integers(0, 1000), common=st.booleans(), metrics=st.booleans())
def test_slopes_are_the_derivatives_of_changes(m: int, seed: int, common: bool, metrics: bool) -> None:
    problem = pn.problems.quadratic(n=9, m=m, seed=seed)
    weights = torch.full((m,), 1 / m).double()
    front, _ = model_at(problem, problem.pareto_point(weights), weights)
    rng = np.random.default_rng(seed)
    if common:
        front = replace(front, bend=front.bend[:1])
    if metrics:
        response, orientation = rng.normal(size=(2, m - 1)), np.array([1.0, -1.0])
        front = replace(
            front,
            metric_names=("u", "v"),
            metric_values=np.ones(2),
            metric_response=response,
            metric_orientation=orientation,
        )
    q = m + 2 * metrics
    assert len(front.steerable) == len(front.values) == len(front.orientation) == q
    c, h = rng.normal(size=m - 1), 1e-4
    assert front.slopes(c).shape == (q, m - 1)
    for k, e in enumerate(h * np.eye(m - 1)):
        difference = (front.changes(c + e) - front.changes(c - e)) / (2 * h)
        np.testing.assert_allclose(front.slopes(c)[:, k], difference, rtol=1e-6, atol=1e-7)
    assert not front.changes(np.zeros(m - 1)).any()
    np.testing.assert_allclose(front.changes(c)[:m], front.change(c))
    np.testing.assert_allclose(front.changes(c)[m:], front.metric_change(c))


def model_problem(validation: bool, batch_size: int = 20, for_validation: int = 100) -> pn.ModelProblem:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(500, 3, generator=generator, dtype=torch.float64)
    y = x @ torch.tensor([[1.0, 0.0], [0.5, 1.0], [0.0, 0.5]], dtype=torch.float64)
    y = y + 0.3 * torch.randn(500, 2, generator=generator, dtype=torch.float64)
    model = nn.Linear(3, 1, bias=False).double()
    nn.init.constant_(model.weight, 0.5)
    metrics = {
        "smooth": pn.Metric(lambda o, b: (o[:, 0] - b[1][:, 0]).abs().mean(), higher_is_better=False),
        "leaping": lambda o, b: ((o[:, 0] - b[1][:, 0]).abs() < 0.5).double().mean(),
    }
    losses = {f"f{k}": (lambda o, b, k=k: (o[:, 0] - b[1][:, k]).square().mean()) for k in range(2)}
    train = TensorDataset(x[:400], y[:400])
    others = (
        TensorDataset(x[400 : 400 + for_validation], y[400 : 400 + for_validation]) if validation else None
    )
    return pn.ModelProblem(model, losses, train, others, metrics=metrics, batch_size=batch_size)


def model_front(problem: pn.ModelProblem) -> tuple[FrontModel, torch.Tensor]:
    tangent = tangent_at(problem, problem.parameters(), torch.tensor([0.5, 0.5]).double())
    return measure_front(problem, tangent, Geometry()), tangent.basis


@pytest.mark.parametrize("validation", [True, False])
def test_losses_and_metrics_respond_as_differences_at_the_size_of_a_step_say(validation: bool) -> None:
    problem = model_problem(validation)
    front, basis = model_front(problem)
    split = "validation" if validation else "train"
    theta = problem.parameters()
    assert front.metric_orientation.tolist() == [1, 0]
    assert front.metric_response is not None
    assert front.metric_bend is not None
    assert (front.validation_response_by_batch is not None) == validation
    assert front.response_by_batch is not None
    assert front.response_by_batch.share == 1
    here = problem.evaluate(theta, split)
    points = probed(problem, basis, front, split)
    found = [problem.evaluate(theta + h * basis[0], split) for h in points.tolist()]
    design = torch.stack([points, points**2 / 2], dim=1)
    for row, name in enumerate(("smooth", "leaping")):
        values = torch.tensor([e.metrics[name] - here.metrics[name] for e in found], dtype=torch.float64)
        slope, bend = torch.linalg.lstsq(design, values[:, None]).solution[:, 0].tolist()
        if (kept := front.metric_bend[row, 0, 0]) == 0:  # noise counts for nothing
            slope = float(points @ values / (points**2).sum())
        else:
            assert kept == pytest.approx(bend, abs=1e-9)
        assert front.metric_response[row, 0] == pytest.approx(slope, abs=1e-12)
    # These losses are quadratic, so differences are derivatives.
    slopes = problem.response(theta, basis, split)[1].mean[:2]
    bends = 2 * ((problem_inputs(split) @ basis.T) ** 2).mean(0)
    if validation:
        assert front.validation_response is not None
        assert front.validation_bend is not None
        np.testing.assert_allclose(front.validation_response, slopes, rtol=1e-9)
        np.testing.assert_allclose(front.validation_bend[:, 0, 0], bends.expand(2), rtol=1e-6)
    else:
        assert front.validation_bend is None
        np.testing.assert_allclose(front.response, slopes, rtol=1e-9)
        np.testing.assert_allclose(front.bend[:, 0, 0], bends.expand(2), rtol=1e-6)


def problem_inputs(split: Split) -> torch.Tensor:
    x = torch.randn(500, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x[400:] if split == "validation" else x[:400]


def probed(problem: pn.ModelProblem, basis: torch.Tensor, front: FrontModel, split: Split) -> torch.Tensor:
    """How far along the one direction it was probed in the end: both ways, and along two rays."""
    points: list[torch.Tensor] = []
    probe, theta = problem.probe, problem.parameters()

    def spied(at: Iterable[torch.Tensor], *options: Any, **more: Any) -> list[Losses]:
        at = list(at)
        points.extend(at)
        return probe(at, *options, **more)

    first = first_lengths(torch.from_numpy(front.response), torch.from_numpy(front.losses), front.bend)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(problem, "probe", spied)
        Probes.along(problem, theta, basis, split, first)
    ways = (torch.stack(points) - theta) @ torch.linalg.pinv(basis)
    return ways[-6:, 0]


def test_what_is_asked_for_is_on_validation_data_where_there_are_any() -> None:
    front, _ = model_front(model_problem(True))
    c = np.array([0.1])
    assert front.asked == "validation"
    assert front.validation_losses is not None
    np.testing.assert_array_equal(front.values[:2], front.validation_losses.mean)
    np.testing.assert_array_equal(front.changes(c)[:2], front.validation_change(c))
    np.testing.assert_array_equal(front.asked_response, front.validation_response)
    np.testing.assert_array_equal(front.bends[:2], front.validation_bend)
    np.testing.assert_array_equal(front.bends[2:], front.metric_bend)
    train = front.on("train")
    np.testing.assert_array_equal(train.values[:2], front.losses)
    np.testing.assert_array_equal(train.changes(c)[:2], front.change(c))
    np.testing.assert_array_equal(train.bends[:2], front.bend)
    for part in ("values", "bends"):  # metrics stay those of the validation data
        np.testing.assert_array_equal(getattr(train, part)[2:], getattr(front, part)[2:])
    np.testing.assert_array_equal(train.changes(c)[2:], front.changes(c)[2:])
    assert not np.allclose(train.changes(c)[:2], front.changes(c)[:2])
    np.testing.assert_array_equal(train.on("validation").values, front.values)


def test_without_validation_data_there_are_no_validation_losses_to_ask_for() -> None:
    front, _ = model_front(model_problem(False))
    assert front.asked == front.on("train").asked == "train"
    with pytest.raises(pn.PreferenceError, match=r"no validation losses.*on='train'"):
        front.on("validation")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_slopes_are_the_derivatives_of_changes_on_either_split(split: Split) -> None:
    front = model_front(model_problem(True))[0].on(split)
    c, h = np.array([0.2]), 1e-5
    difference = (front.changes(c + h) - front.changes(c - h)) / (2 * h)
    np.testing.assert_allclose(front.slopes(c)[:, 0], difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("kept", "batches"), [(gradients.MOST, 20), (0, 8)])
def test_errors_are_those_of_the_responses_batch_by_batch(
    kept: int, batches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradients, "MOST", kept)
    c = np.array([0.3])
    front, *_ = model_front(model_problem(True))
    assert front.validation_response_by_batch is not None
    assert front.response_by_batch is not None
    train, validation, metrics = front.errors(c)
    measured = front.validation_response_by_batch
    along, shares = measured.batches.numpy()[:, :, 0] * 0.3, measured.fractions.numpy()
    assert along.shape == (12, 4), "so that a validation set of a hundred has standard errors"
    expected = np.sqrt(shares @ (along - shares @ along) ** 2 / 11)
    np.testing.assert_allclose(validation, expected[:2])
    np.testing.assert_allclose(metrics, expected[2:])
    part = front.response_by_batch.batches.numpy()[:, :, 0] * 0.3
    assert part.shape == (batches, 2)
    share = batches / 20
    np.testing.assert_allclose(train, part.std(0, ddof=1) / np.sqrt(batches) * np.sqrt(share))
    assert all(np.allclose(2 * e, f) for e, f in zip(front.errors(c), front.errors(2 * c), strict=True))


def test_without_validation_data_metrics_have_the_error_of_the_training_data() -> None:
    c = np.array([0.3])
    front, *_ = model_front(model_problem(False))
    assert front.response_by_batch is not None
    train, validation, metrics = front.errors(c)
    assert not len(validation)
    part = front.response_by_batch.batches.numpy()[:, :, 0] * 0.3
    assert part.shape == (20, 4)
    expected = part.std(0, ddof=1) / np.sqrt(20)
    np.testing.assert_allclose(train, expected[:2])
    np.testing.assert_allclose(metrics, expected[2:])


def test_errors_are_not_known_of_few_batches_or_examples_and_of_functions() -> None:
    front, *_ = model_front(model_problem(True, batch_size=150, for_validation=31))
    assert [len(error) for error in front.errors(np.ones(1))] == [0, 0, 0]
    problem = pn.problems.quadratic(n=6, m=2)
    front, _ = model_at(problem, problem.parameters(), torch.tensor([0.5, 0.5]).double())
    assert [len(error) for error in front.errors(np.ones(1))] == [0, 0, 0]


def test_differences_stay_near_where_tasks_hardly_compete() -> None:
    """Along the tangent the losses change in second order only, and by a few per cent at most."""
    for apart in (1.0, 1e-3, 1e-6, 1e-9):
        shift = apart * torch.tensor([1.0, 0.0]).double()
        problem = pn.FunctionProblem(
            lambda x, s=shift: torch.stack([1 + (x - s).square().sum(), 1 + (x + s).square().sum()]),
            torch.zeros(2).double(),
        )
        tangent = tangent_at(problem, torch.zeros(2).double(), torch.tensor([0.5, 0.5]).double(), EXACT)
        front = measure_front(problem, tangent, EXACT)
        (step,) = first_lengths(tangent.response, tangent.losses.mean, front.bend).tolist()
        changes = [
            problem.evaluate(tangent.point(torch.tensor([s * step]))).mean / tangent.losses.mean - 1
            for s in (1, -1)
        ]
        assert 0.0099 <= float(torch.stack(changes).abs().max()) <= 0.0201


@pytest.mark.parametrize("samples", [5, None])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_bend_that_the_calibration_has_measured_is_that_of_the_sum(
    samples: int | None, decay: float
) -> None:
    problem = three_heads(decay)
    geometry = replace(EXACT, samples=samples, tolerance=0.1)
    weights = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)
    tangent = tangent_at(problem, problem.parameters(), weights, geometry)
    one_by_one = measure_front(problem, replace(tangent, sum_bend=None), geometry)
    before = problem.cost.hessian_products
    front = measure_front(problem, tangent, geometry)
    assert problem.cost.hessian_products - before == 4
    np.testing.assert_allclose(front.bend, one_by_one.bend, rtol=1e-9, atol=1e-12)
    assert tangent.sum_bend is not None
    # On another sample it would be another one.
    other = measure_front(problem, tangent, replace(geometry, samples=3))
    elsewhere = measure_front(problem, replace(tangent, sum_bend=None), replace(geometry, samples=3))
    np.testing.assert_array_equal(other.bend, elsewhere.bend)


def three_heads(decay: float) -> pn.ModelProblem:
    """Three tasks of one small network in double precision."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(12, 3, generator=generator, dtype=torch.float64) for _ in range(2))
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    losses = {f"task {i}": lambda o, b, i=i: (o[:, i] - b[1][:, i]).square().mean() for i in range(3)}
    return pn.ModelProblem(model, losses, TensorDataset(x, y), weight_decay=decay)


def ratios(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Two functions of the mean outputs over the data, which are linear in theta; a penalty holds the rest."""
    mean = (x @ theta.view(2, 3).T).mean(0)
    return torch.stack([(mean[0] - 1).square() + 0.3 * mean[1] ** 4, (mean[0] + mean[1] - 2).cosh()])


def mean_output(outputs: torch.Tensor, _: object) -> torch.Tensor:
    return outputs.mean(0)


@settings(max_examples=10, deadline=None)
@given(
    size=st.integers(1, 20),
    kept=st.booleans(),
    kind=st.sampled_from(["exact", "gauss-newton"]),
    seed=st.integers(0, 1000),
)
def test_functions_of_means_bend_as_over_all_the_data_however_small_the_sample(
    size: int, kept: bool, kind: CurvatureKind, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    train, for_validation = (torch.randn(n, 3, generator=generator).double() + 1 for n in (60, 24))
    model = nn.Linear(3, 2, bias=False).double()
    losses = {
        "first": pn.Aggregate(mean_output, lambda s: (s[0] - 1).square() + 0.3 * s[1] ** 4),
        "second": pn.Aggregate(mean_output, lambda s: (s.sum() - 2).cosh()),
    }
    data, validation = TensorDataset(train), TensorDataset(for_validation)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tried_out, "worth_it", lambda *_: kept)
        problem = pn.ModelProblem(
            model, losses, data, validation=validation, batch_size=7, weight_decay=0.3, seed=seed
        )
    geometry = replace(EXACT, samples=size, curvature=kind)
    theta = 0.3 * torch.randn(6, generator=generator).double()
    weights = torch.tensor([0.4, 0.6]).double()
    tangent = tangent_at(problem, theta, weights, geometry)
    front = measure_front(problem, tangent, geometry)
    V = tangent.basis

    def dense(x: torch.Tensor, i: int) -> torch.Tensor:
        return torch.autograd.functional.hessian(lambda t: ratios(t, x)[i], theta)  # type: ignore[no-any-return]

    for i in range(2):
        np.testing.assert_allclose(front.bend[i], V @ dense(train, i) @ V.T, rtol=1e-8, atol=1e-10)
        assert (
            front.validation_bend is not None
        )  # differences at the size of a step, of functions that are none of squares
        np.testing.assert_allclose(front.validation_bend[i], V @ dense(for_validation, i) @ V.T, rtol=0.05)
    # Scaled right in the span of the solutions, whatever the sample made of their lengths: V^T A V = V^T J^T B.
    A = 0.4 * dense(train, 0) + 0.6 * dense(train, 1) + 0.3 * torch.eye(6).double()
    torch.testing.assert_close(
        V @ A @ V.T, V @ tangent.jacobian.T @ tangent.weight_basis, rtol=1e-6, atol=1e-9
    )
