"""The state_dict that a folder gives is the problem's own, for any module, or it says that it is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.session import Journal


class Tied(nn.Module):
    """One weight under three names, and one bias under two."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.again = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3, bias=False)
        self.decoder.weight = self.again.weight = self.encoder.weight
        self.decoder.bias = self.encoder.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.again(self.decoder(self.encoder(x).tanh()).tanh())


class Shared(nn.Module):
    """One module in two places."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 3)
        self.second = nn.Sequential(self.first, nn.BatchNorm1d(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).tanh())


class Frozen(nn.Module):
    """Frozen and tied, buffers that are and are not kept, numbers that are no floats, NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.other, self.free = nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 3)
        self.one.weight.requires_grad_(False)
        self.other.weight = self.one.weight
        self.register_buffer("count", torch.tensor(7))
        self.register_buffer("mask", torch.tensor([True, False, True]))
        self.register_buffer("unknown", torch.tensor([1.0, torch.nan]))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.free(self.other(self.one(x)).tanh())


def mixed() -> nn.Module:
    return nn.Sequential(
        nn.Linear(3, 4, dtype=torch.float64), nn.Tanh(), nn.Linear(4, 3, dtype=torch.float64)
    )


MODULES: dict[str, tuple[Callable[[], nn.Module], dict[str, object]]] = {
    "tied": (Tied, {}),
    "tied, a part": (Tied, {"parameters": "decoder.weight"}),
    "shared": (Shared, {}),
    "frozen": (Frozen, {}),
    "double": (mixed, {}),
    "weight norm": (lambda: nn.Sequential(parametrizations.weight_norm(nn.Linear(3, 3)), nn.Tanh()), {}),
    "a part": (
        lambda: nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Linear(3, 3)),
        {"parameters": "2.*"},
    ),
}


def problem_of(model: nn.Module, **options: object) -> pn.ModelProblem:
    x = torch.linspace(-1, 1, 96, dtype=next(model.parameters()).dtype).view(32, 3)
    return pn.ModelProblem(
        model.eval(),
        losses={
            "low": lambda outputs, batch: (outputs - 1).square().mean(),
            "high": lambda outputs, batch: (outputs + batch[0]).square().mean(),
        },
        train=TensorDataset(x),
        batch_size=8,
        **options,  # type: ignore[arg-type]
    )


def session_of(problem: pn.ModelProblem, folder: Path) -> list[torch.Tensor]:
    """A session of two points, the second anywhere; the parameters of both."""
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(problem, session=session)
        first = nav.start()
        moved = torch.randn(first.parameters.shape, generator=torch.Generator().manual_seed(1))
        theta = first.parameters + moved.to(first.parameters.dtype)
        second = replace(first, id=1, parent=0, parameters=theta)
        Journal(session).add(replace(session[0], id=1, parent=0), second, nav.tangent)
    return [first.parameters, theta]


@pytest.mark.parametrize("kind", MODULES)
def test_a_folders_state_is_the_problems_own(kind: str, tmp_path: Path) -> None:
    make, options = MODULES[kind]
    torch.manual_seed(0)
    problem = problem_of(make(), **options)
    thetas = session_of(problem, tmp_path / "s")
    session = pn.Session(tmp_path / "s")
    for i, theta in enumerate(thetas):
        own, there = problem.state_dict(theta), session.state_dict(i)
        assert there.keys() == own.keys() == problem.model.state_dict().keys()
        for name, value in own.items():
            assert there[name].dtype == value.dtype, name
            assert torch.equal(there[name].nan_to_num(), value.nan_to_num()), name
        torch.manual_seed(1)
        fresh = make()
        fresh.load_state_dict(there)
        problem.set_parameters(theta)
        x = torch.linspace(-2, 2, 6, dtype=next(fresh.parameters()).dtype).view(2, 3)
        assert torch.equal(fresh.eval()(x), problem.model(x))


class Derived(nn.Linear):
    """Its state_dict has a copy of its weight, which goes where the weight goes."""

    def __init__(self, scale: float, name: str) -> None:
        super().__init__(3, 3)
        self._register_state_dict_hook(
            lambda module, state, prefix, _: state.__setitem__(
                prefix + name, scale * state[prefix + "weight"]
            )
        )


class Extra(nn.Linear):
    def get_extra_state(self) -> object:
        return {"version": 2}

    def set_extra_state(self, state: object) -> None:
        pass


@pytest.mark.parametrize(
    "make", [lambda: Derived(2.0, "doubled"), lambda: Derived(2.0, "weight"), lambda: Extra(3, 3)]
)
def test_a_state_that_is_more_than_its_parts_is_not_put_together_without_the_model(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    problem = problem_of(nn.Sequential(make(), nn.Tanh()))
    session_of(problem, tmp_path / "s")
    with pytest.raises(pn.SessionError, match=r"more than its parameters.*Navigator\.export"):
        pn.Session(tmp_path / "s").state_dict(1)
