"""Gradient checkpoints: what is recomputed in backward passes is recomputed at the steered values."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.graph import save_on_cpu
from torch.func import functional_call, jacrev
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import paretonav as pn
from paretonav import ModelProblem, ProblemError
from paretonav.geometry import Curvature
from paretonav.geometry.path import path_curvature
from paretonav.objectives import Linearised, differentiated
from paretonav.objectives.cost import Tally
from paretonav.objectives.modes import variable
from paretonav.steering.stepping.correctors.minibatch import batch_gradient, batch_jacobian

DATA = torch.utils.data.TensorDataset(torch.linspace(-1, 1, 24, dtype=torch.float64).view(8, 3))
LOSSES: dict[str, Any] = {
    "a": lambda o, _: o[:, 0].square().mean(),
    "b": lambda o, _: (o[:, 1] - 1).square().mean(),
}
WAYS = torch.randn(3, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


class Checkpointed(nn.Module):
    """``trunk``, ``middle`` and the blocks in ``more`` behind checkpoints, then a head."""

    def __init__(
        self, reentrant: bool = False, recompute: bool = True, more: Callable[[], list[nn.Module]] = list
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk, self.middle, self.head = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.more = nn.ModuleList(more())
        self.reentrant, self.recompute = reentrant, recompute
        self.calls = 0
        self.double()

    def forward(self, x: Tensor) -> Any:
        for layer in (self.trunk, self.middle, *self.more):
            call = partial(self.counted, layer)
            x = (
                checkpoint(call, x, use_reentrant=self.reentrant, preserve_rng_state=True)
                if self.recompute
                else call(x)
            ).tanh()
        return self.head(x)

    def counted(self, layer: nn.Module, x: Tensor) -> Any:
        self.calls += 1
        return layer(x)


class Attending(nn.Module):
    """Attention of an example's entries to each other: torch has several kernels for it."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        q, k, v = (each(x)[None, None] for each in (self.q, self.k, self.v))
        return nn.functional.scaled_dot_product_attention(q, k, v)[0, 0] + x


class Dropping(nn.Module):
    """Dropout that is the same in every pass, since it sets its own seed."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(7)
            return nn.functional.dropout(self.layer(x), 0.3)


class Doubled(torch.autograd.Function):
    """Twice its input, by a backward pass of one's own: there is no forward mode."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * x

    @staticmethod
    def backward(_: Any, slope: Tensor) -> Any:  # type: ignore[override]
        return 2 * slope


class WithoutForwardMode(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        return Doubled.apply(self.layer(x))  # type: ignore[no-untyped-call]


def shared() -> list[nn.Module]:
    """A layer that is used twice, and one whose weight is that of another."""
    one, other = nn.Linear(4, 4), nn.Linear(4, 4)
    other.weight = one.weight
    return [one, one, other]


KINDS: dict[str, Callable[[], list[nn.Module]]] = {
    "plain": list,
    "shared": shared,
    "attention": lambda: [Attending()],
    "seeded dropout": lambda: [Dropping()],
    "no forward mode": lambda: [WithoutForwardMode()],
}


def both(kind: str = "plain", **options: Any) -> tuple[ModelProblem, ModelProblem]:
    """The same problem with checkpoints and without."""
    losses = options.pop("losses", LOSSES)
    one, other = (
        ModelProblem(Checkpointed(recompute=recompute, more=KINDS[kind]), losses, DATA, DATA, **options)
        for recompute in (True, False)
    )
    return one, other


def derivatives(problem: ModelProblem, theta: Tensor) -> Iterator[tuple[str, Tensor]]:
    """All kinds that the library takes."""
    ways = WAYS[:, : len(theta)]
    weights = theta.new_tensor([0.3, 0.7])
    yield "Jacobian", problem.jacobian(theta)[1]
    yield "on other data", problem.jacobian(theta, "validation")[1]
    yield "response", problem.response(theta, ways, "validation")[1].batches
    sample = problem.curvature_sample(6, around=theta)
    for kind in ("gauss-newton", "exact"):
        yield kind, Curvature(sample, theta, weights, kind=kind)(ways)  # type: ignore[arg-type]
    yield "path", path_curvature(sample, theta, ways, 2, Tally())
    yield "minibatch", batch_jacobian(problem, sample[0], theta, "here")
    yield "its sum", batch_gradient(problem, sample[0], theta, weights, "here")


def assert_alike(one: ModelProblem, other: ModelProblem, theta: Tensor, within: float = 1e-12) -> None:
    for (what, found), (_, expected) in zip(derivatives(one, theta), derivatives(other, theta), strict=True):
        worst = float((found - expected).abs().max() / expected.abs().max())
        assert worst < within, f"{what} is off by {worst:.1e} of its largest entry"


def test_without_us_the_gradient_would_be_wrong() -> None:
    """Why there is more to do than to call the model. If this fails, torch has learned it."""
    gradients = []
    for recompute in (True, False):
        model = Checkpointed(recompute=recompute)
        others = {name: (3 * p.detach()).requires_grad_() for name, p in model.named_parameters()}
        loss = functional_call(model, others, (DATA.tensors[0],)).square().mean()
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(others.values()))]))
    assert float((gradients[0] - gradients[1]).norm() / gradients[1].norm()) > 0.1


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**20), size=st.sampled_from([0.0, 0.1, 1.0]))
def test_every_derivative_is_that_without_checkpoints(kind: str, seed: int, size: float) -> None:
    one, other = both(kind)
    theta = one.parameters()
    theta = theta + size * torch.randn(
        theta.shape, generator=torch.Generator().manual_seed(seed), dtype=theta.dtype
    )
    assert_alike(one, other, theta)


@pytest.mark.parametrize("options", [{"parameters": "m*"}, {"parameters": ["trunk.bias", "head.weight"]}])
def test_of_some_parameters_too(options: dict[str, Any]) -> None:
    one, other = both("shared", **options)
    assert_alike(one, other, one.parameters() + 0.5)


def test_of_functions_of_means_and_in_several_batches() -> None:
    losses = {"a": LOSSES["a"], "gap": pn.group_gap(lambda o, _: o[:, 1], lambda batch: batch[0][:, 0] > 0)}
    for batch_size in (3, 8):
        one, other = both(losses=losses, batch_size=batch_size)
        assert_alike(one, other, one.parameters() + 0.5)


def test_under_autocast() -> None:
    """bfloat16 rounds the same way again, so that what it gives is the same."""
    problems = [
        ModelProblem(
            Checkpointed(recompute=recompute).float(),
            LOSSES,
            torch.utils.data.TensorDataset(DATA.tensors[0].float()),
            autocast=torch.bfloat16,
        )
        for recompute in (True, False)
    ]
    one, other = (problem.jacobian(problem.parameters() + 0.5)[1] for problem in problems)
    torch.testing.assert_close(one, other)


def test_products_are_those_of_a_dense_jacobian_and_keep_no_activations() -> None:
    problem, plain = both()
    theta = variable(problem.parameters() + 0.5)
    part = problem.curvature_sample()[0]
    names = dict(plain.model.named_parameters())

    def outputs(t: Tensor) -> Any:
        pieces = torch.split(t, [p.numel() for p in names.values()])
        there = {name: t.view_as(p) for (name, p), t in zip(names.items(), pieces, strict=True)}
        return functional_call(plain.model, there, (DATA.tensors[0],))

    dense = jacrev(outputs)(theta.detach())
    model = problem.model
    assert isinstance(model, Checkpointed)
    with differentiated(part, theta):
        made = Linearised(part, theta)
        for _ in range(2):  # nothing is kept from the first time
            model.calls = 0
            (moved,) = made.along(WAYS[0, : len(theta)])
            assert model.calls == 2, "one forward pass of both blocks"
            back = made.back((moved,))
            assert model.calls == 4, "and one that recomputes"
            torch.testing.assert_close(moved, dense @ WAYS[0, : len(theta)], rtol=1e-12, atol=1e-13)
            torch.testing.assert_close(back, (moved[..., None] * dense).sum((0, 1)), rtol=1e-12, atol=1e-13)


def test_a_start_and_a_step_end_where_they_do_without() -> None:
    ends = []
    for problem in both("shared"):
        own = dict(problem.model.named_parameters())
        nav = pn.Navigator(problem)
        nav.start()
        step = nav.step(pn.Improve({"a": 1.0}), amount=0.02)
        assert step.status.value == "accepted"
        assert all(p is own[name] for name, p in problem.model.named_parameters()), "they are its own again"
        ends.append((problem.parameters(), nav.problem.cost))
    torch.testing.assert_close(ends[0][0], ends[1][0], rtol=1e-9, atol=1e-11)
    for name in ("forward_passes", "gradient_passes", "hessian_products"):
        assert getattr(ends[0][1], name) == getattr(ends[1][1], name)


def test_who_is_told_of_progress_may_look_at_the_parameters() -> None:
    problem, _ = both()
    before, seen = problem.parameters(), []
    pn.Navigator(problem).start(on_event=lambda _: seen.append(problem.parameters()))
    with problem.watch.over(on_event=lambda _: None), problem._stateless.again(before + 1):
        seen.append(problem.parameters())
    assert len(seen) > 2
    assert all(torch.equal(each, before) for each in seen)
    problem.model.trunk.weight = nn.Parameter(torch.zeros(4, 3, dtype=torch.float64))
    with pytest.raises(ProblemError, match="another tensor"):
        problem.parameters()


def test_what_fails_in_a_backward_pass_leaves_the_parameters_in_their_places() -> None:
    class Failing(Checkpointed):
        fails = False

        def counted(self, layer: nn.Module, x: Tensor) -> Any:
            if self.fails and self.calls > 1:
                raise ArithmeticError("in the middle")
            return super().counted(layer, x)

    problem = ModelProblem(Failing(), LOSSES, DATA)
    model = problem.model
    assert isinstance(model, Failing)
    before = problem.parameters()
    model.fails, model.calls = True, 0
    with pytest.raises(ProblemError, match="in the middle"):
        problem.jacobian(before + 1)
    assert torch.equal(problem.parameters(), before)


def test_what_does_not_run_again_as_it_did_is_refused() -> None:
    """Weight norm has another formula where second derivatives are needed, of which a recomputation knows nothing."""
    more = lambda: [nn.utils.parametrizations.weight_norm(nn.Linear(4, 4))]  # noqa: E731
    problem = ModelProblem(Checkpointed(more=more), LOSSES, DATA)
    plain = ModelProblem(Checkpointed(more=more, recompute=False), LOSSES, DATA)
    theta = problem.parameters() + 0.5
    torch.testing.assert_close(problem.jacobian(theta)[1], plain.jacobian(theta)[1])
    with pytest.raises(ProblemError, match=r"does not run again as it did.*different number.*weight norm"):
        problem.curvature_sample()


def test_a_model_that_starts_to_checkpoint_later_is_noticed_by_every_pass() -> None:
    model = Checkpointed(recompute=False)
    problem = ModelProblem(model, LOSSES, DATA)
    theta = problem.parameters()
    expected = problem.evaluate(theta).mean
    model.recompute = True
    assert torch.equal(problem.evaluate(theta).mean, expected), "without gradients nothing is recomputed"
    with pytest.raises(ProblemError, match=r"checkpointing.*since.*new problem"):
        problem.jacobian(theta)
    with pytest.raises(ProblemError, match=r"checkpointing.*since.*new problem"):
        problem.curvature_sample()[0].outputs(theta.requires_grad_())


def test_a_model_may_stop_to_checkpoint() -> None:
    problem, plain = both()
    problem.model.recompute = False
    assert_alike(problem, plain, plain.parameters() + 0.5)


def test_other_ways_to_the_same() -> None:
    def sequentially(model: nn.Module, batch: Any) -> Any:
        return checkpoint_sequential(model, 2, batch[0], use_reentrant=False)

    def on_the_host(model: nn.Module, batch: Any) -> Any:
        with save_on_cpu():
            return model(batch[0])

    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    plain = ModelProblem(model, LOSSES, DATA, DATA)
    for forward in (sequentially, on_the_host):
        assert_alike(
            ModelProblem(model, LOSSES, DATA, DATA, forward=forward), plain, plain.parameters() + 0.5
        )


def test_several_backward_passes_at_once() -> None:
    """Of functions they are one batched pass, also where that recomputes; what is random goes one by one."""
    for probability in (0.0, 0.5):

        def kept(x: Tensor, p: float = probability) -> Tensor:
            return nn.functional.dropout(x.sin(), p, training=p > 0)

        x = torch.arange(3.0, dtype=torch.float64).requires_grad_()
        torch.manual_seed(0)
        value = checkpoint(kept, x, use_reentrant=False)
        rows = torch.stack(list(pn.objectives.backward(value, x, torch.eye(3).double(), at_once=True)))
        torch.manual_seed(0)
        expected = torch.autograd.functional.jacobian(kept, x.detach())
        torch.testing.assert_close(rows, expected)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="None of the inputs have requires_grad")
        yield


@pytest.mark.parametrize(
    ("parameters", "what"), [(None, "'trunk'"), ("trunk.*", "'trunk'"), ("middle.*", "'middle'")]
)
def test_reentrant_checkpoints_are_refused(parameters: str | None, what: str) -> None:
    with _quiet(), pytest.raises(ProblemError, match=rf"{what}.*reentrant.*use_reentrant=False"):
        ModelProblem(Checkpointed(reentrant=True), LOSSES, DATA, parameters=parameters)


def test_so_are_those_between_the_steered_parameters_and_the_outputs() -> None:
    class Behind(Checkpointed):
        def forward(self, x: Tensor) -> Any:
            return self.head(checkpoint(self.middle, self.trunk(x).tanh(), use_reentrant=True).tanh())

    with pytest.raises(ProblemError, match=r"through a reentrant.*use_reentrant=False"):
        ModelProblem(Behind(), LOSSES, DATA, parameters="trunk.*")


def test_a_head_on_a_checkpointed_trunk_may_be_steered_if_nothing_is_recomputed_wrongly() -> None:
    with _quiet():
        problem = ModelProblem(Checkpointed(reentrant=True), LOSSES, DATA, parameters="head.*")
        plain = ModelProblem(Checkpointed(recompute=False), LOSSES, DATA, parameters="head.*")
        theta = problem.parameters() + 1
        torch.testing.assert_close(problem.jacobian(theta)[1], plain.jacobian(theta)[1])


def test_a_trunk_under_no_grad_is_refused_if_it_is_steered() -> None:
    class Frozen(Checkpointed):
        def forward(self, x: Tensor) -> Any:
            with torch.no_grad():
                x = self.middle(self.trunk(x).tanh()).tanh()
            return self.head(x)

    with pytest.raises(ProblemError, match=r"module 'trunk'.*no_grad.*parameters="):
        ModelProblem(Frozen(), LOSSES, DATA)
    assert ModelProblem(Frozen(), LOSSES, DATA, parameters="head.*").steered == ("head.weight", "head.bias")


def test_a_module_that_runs_both_ways_is_let_pass() -> None:
    class Twice(Checkpointed):
        """As a network that is its own target does."""

        def forward(self, x: Tensor) -> Any:
            with torch.no_grad():
                target = super().forward(x)
            return super().forward(x) - 0.5 * target

    ModelProblem(Twice(recompute=False), LOSSES, DATA)
