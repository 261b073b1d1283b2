"""Recomputation would use the module's own parameters: it is refused, never silently wrong."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import save_on_cpu
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

from paretonav import ModelProblem, ProblemError

DATA = torch.utils.data.TensorDataset(torch.linspace(-1, 1, 24, dtype=torch.float64).view(8, 3))
LOSSES: dict[str, Any] = {
    "a": lambda o, _: o[:, 0].square().mean(),
    "b": lambda o, _: (o[:, 1] - 1).square().mean(),
}


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool = False, recompute: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk, self.middle, self.head = nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.reentrant, self.recompute = reentrant, recompute
        self.double()

    def forward(self, x: Tensor) -> Any:
        for layer in (self.trunk, self.middle):
            call = partial(checkpoint, layer, use_reentrant=self.reentrant) if self.recompute else layer
            x = call(x).tanh()
        return self.head(x)


def test_without_us_the_gradient_would_be_wrong() -> None:
    """Why it is refused. If this fails, torch has learned it, and the refusal can go."""
    gradients = []
    for recompute in (True, False):
        model = Checkpointed(recompute=recompute)
        others = {name: (3 * p.detach()).requires_grad_() for name, p in model.named_parameters()}
        loss = functional_call(model, others, (DATA.tensors[0],)).square().mean()
        gradients.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(others.values()))]))
    assert float((gradients[0] - gradients[1]).norm() / gradients[1].norm()) > 0.1


def test_checkpointing_is_refused() -> None:
    with pytest.raises(ProblemError, match=r"gradient checkpointing.*eval mode.*batch_size"):
        ModelProblem(Checkpointed(), LOSSES, DATA)
    ModelProblem(Checkpointed(recompute=False), LOSSES, DATA)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
@pytest.mark.parametrize("parameters", [None, "trunk.*", "middle.*"])
def test_reentrant_checkpointing_is_refused(parameters: str | None) -> None:
    with pytest.raises(ProblemError, match=r"module '(trunk|middle)' has steered parameters.*use_reentrant"):
        ModelProblem(Checkpointed(reentrant=True), LOSSES, DATA, parameters=parameters)


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")
def test_a_head_on_a_checkpointed_trunk_may_be_steered_if_nothing_is_recomputed_wrongly() -> None:
    problem = ModelProblem(Checkpointed(reentrant=True), LOSSES, DATA, parameters="head.*")
    plain = ModelProblem(Checkpointed(recompute=False), LOSSES, DATA, parameters="head.*")
    theta = problem.parameters() + 1
    torch.testing.assert_close(problem.jacobian(theta)[1], plain.jacobian(theta)[1])


def test_a_model_that_starts_to_checkpoint_later_is_noticed_by_every_pass() -> None:
    model = Checkpointed(recompute=False)
    problem = ModelProblem(model, LOSSES, DATA)
    theta = problem.parameters()
    expected = problem.evaluate(theta).mean
    model.recompute = True
    assert torch.equal(problem.evaluate(theta).mean, expected), "without gradients nothing is recomputed"
    with pytest.raises(ProblemError, match="checkpointing"):
        problem.jacobian(theta)
    with pytest.raises(ProblemError, match="checkpointing"):
        problem.curvature_sample()[0].outputs(theta.requires_grad_())


def test_other_ways_to_the_same_are_refused() -> None:
    def sequentially(model: nn.Module, batch: Any) -> Any:
        return checkpoint_sequential(model, 2, batch[0], use_reentrant=False)

    def on_the_host(model: nn.Module, batch: Any) -> Any:
        with save_on_cpu():
            return model(batch[0])

    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    for forward in (sequentially, on_the_host):
        with pytest.raises(ProblemError, match="hooks"):
            ModelProblem(model, LOSSES, DATA, forward=forward)


def test_hooks_work_again_after_a_refusal() -> None:
    with pytest.raises(ProblemError):
        ModelProblem(Checkpointed(), LOSSES, DATA)
    Checkpointed()(DATA.tensors[0]).sum().backward()


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
