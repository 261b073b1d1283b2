"""What happens to a model outside of a problem is noticed, and what a function has captured of it, too."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tests.regression import network, noisy, squared
from torch import Tensor, nn
from torch.nn.utils import parametrizations

import paretonav as pn

LOSSES = {"small": squared(0), "large": squared(1)}
HELD = {"validation": noisy(64, 2)}


def captured(how: Callable[[Tensor], Tensor]) -> pn.ModelProblem:
    model = network()
    weight = how(model[0].weight)
    return pn.ModelProblem(
        model,
        LOSSES,
        noisy(16, 1),
        forward=lambda model, batch: model(batch[0] + batch[0] @ weight.T @ weight),
    )


@pytest.mark.parametrize(
    "how",
    [
        lambda w: w,
        lambda w: w.data,
        lambda w: w.detach(),
        lambda w: w[:8],
        lambda w: w.detach().view(4, 16).T,
    ],
)
def test_a_captured_weight_is_named(how: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(
        pn.ProblemError, match=r"reads the steered '0.weight' from elsewhere.*each time it is called"
    ):
        captured(how)


def test_a_copy_of_a_weight_is_a_constant() -> None:
    assert captured(lambda w: w.detach().clone()).steered


def test_a_layer_in_a_list_that_is_tied_to_a_registered_one_is_named() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, other = nn.Linear(4, 4).double(), nn.Linear(4, 2).double()
            other.weight.data = other.weight.data.clone()
            self.head = nn.Linear(4, 2).double()
            other.weight = self.head.weight
            self.others = [other]  # where nn.Module does not look

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.inner(x)) + self.others[0](x)  # type: ignore[no-any-return]

    with pytest.raises(pn.ProblemError, match=r"reads the steered 'head.weight' from elsewhere"):
        pn.ModelProblem(Tied(), LOSSES, noisy(16, 1))


def test_losses_and_metrics_that_read_the_module_are_named() -> None:
    model = network()

    def near(o: Tensor, batch: Any) -> Tensor:
        return squared(0)(o, batch) + 0 * model[0].weight.detach().square().sum()  # type: ignore[no-any-return]

    with pytest.raises(
        pn.ProblemError, match=r"loss 'near' reads '0.weight' from elsewhere than outputs.*Penalty"
    ):
        pn.ModelProblem(model, {"small": squared(0), "near": near}, noisy(16, 1))
    metrics = {"zeros": lambda o, batch: (model[0].weight.abs() < 0.1).double().mean()}
    with pytest.raises(
        pn.ProblemError, match=r"a metric reads '0.weight' from elsewhere than outputs.*let forward return it"
    ):
        pn.ModelProblem(model, LOSSES, noisy(16, 1), metrics=metrics)


def assigned(model: nn.Module) -> None:
    model.load_state_dict({name: t + 1 for name, t in model.state_dict().items()}, assign=True)


def replaced(model: Any) -> None:
    model[2] = nn.Linear(16, 2).double()


def parametrised(model: Any) -> None:
    parametrizations.weight_norm(model[0])


def converted(model: nn.Module) -> None:
    model.float()


def removed(model: Any) -> None:
    model[0].weight = None


@pytest.mark.parametrize("how", [assigned, replaced, parametrised, converted, removed])
def test_parameters_that_were_replaced_later_are_named(how: Callable[[Any], None]) -> None:
    problem = pn.ModelProblem(network(), LOSSES, noisy(16, 1), **HELD)
    theta = problem.parameters()
    nav = pn.Navigator(problem)
    how(problem.model)
    for run in (
        problem.parameters,
        lambda: problem.set_parameters(theta),
        lambda: problem.evaluate(theta),
        lambda: problem.jacobian(theta),
        nav.start,
    ):
        with pytest.raises(
            pn.ProblemError, match=r"parameter '\d\..*when the problem was made.*make a new problem"
        ):
            run()


def trained_on(model: nn.Module) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 1e-3)
    model(noisy(16, 1).tensors[0]).square().mean().backward()
    optimizer.step()


def normed() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 2)).double().eval()


def statistics(model: Any) -> None:
    model[1].running_mean += 0.1


@pytest.mark.parametrize(
    ("how", "what"), [(trained_on, "the steered parameters"), (statistics, "the buffer '1.running_mean'")]
)
def test_a_model_that_was_changed_between_two_steps_is_left_alone(
    how: Callable[[Any], None], what: str
) -> None:
    problem = pn.ModelProblem(normed(), LOSSES, noisy(64, 1), **HELD)
    nav = pn.Navigator(problem)
    nav.start()
    how(problem.model)
    now = {name: tensor.clone() for name, tensor in problem.model.state_dict().items()}
    for run in (lambda: nav.step(pn.Improve({"small": 1.0}), 0.01), nav.training_gain):
        with pytest.raises(
            pn.NavigationError, match=rf"{what} of the model changed since point 0.*go_to\(0\)"
        ):
            run()
    assert all(torch.equal(tensor, now[name]) for name, tensor in problem.model.state_dict().items())
    nav.go_to(0)
    assert torch.equal(problem.parameters(), nav.here.parameters)
    nav.step(pn.Improve({"small": 1.0}), 0.01)


def test_a_function_that_was_moved_between_two_steps_is_left_alone() -> None:
    problem = pn.FunctionProblem(
        lambda x: torch.stack([(x - 1).square().sum(), (x + 1).square().sum()]), torch.zeros(3).double()
    )
    nav = pn.Navigator(problem)
    nav.start()
    problem.set_parameters(torch.ones(3).double())
    with pytest.raises(pn.NavigationError, match="changed since point 0"):
        nav.step(pn.Improve({"f1": 1.0}), 0.01)
    assert torch.equal(problem.parameters(), torch.ones(3).double())


def test_parameters_in_half_precision_are_where_they_were_written() -> None:
    problem = pn.ModelProblem(
        network().bfloat16(), LOSSES, noisy(64, 1), forward=lambda m, b: m(b[0].bfloat16()).double()
    )
    theta = problem.parameters() * 1.001
    problem.set_parameters(theta)
    assert problem.changed_since(theta) is None
