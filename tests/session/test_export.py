import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.data import TensorDataset

from paretonav import Improve, ModelProblem, NavigationError, Navigator
from paretonav.session import files
from paretonav.session.export import write_state

# The same in the process that exports and in the one that loads.
ARCHITECTURE = """
import torch
from torch import nn

class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(3, 3, bias=False)
        self.norm = nn.BatchNorm1d(3)
        self.decoder = nn.Linear(3, 3)
        self.decoder.weight = self.encoder.weight
        self.heads = nn.ModuleList([nn.Linear(3, 1), nn.Linear(3, 1)])
        self.frozen = nn.Parameter(torch.full((3,), 0.25), requires_grad=False)

    def forward(self, x):
        h = self.decoder(self.norm(self.encoder(x)).tanh()) * self.frozen
        return torch.cat([head(h) for head in self.heads], dim=1)
"""
LOADING = """
import sys
import torch
from safetensors.torch import load_file

model = Tied()
model.load_state_dict(load_file(sys.argv[1]))
reference = load_file(sys.argv[2])
assert torch.equal(model.eval()(reference["x"]), reference["outputs"]), "the outputs differ"
assert model.decoder.weight is model.encoder.weight
assert not any("paretonav" in name for name in sys.modules)
print("the same")
"""


def tied() -> nn.Module:
    namespace: dict[str, type[nn.Module]] = {"__name__": __name__}
    exec(ARCHITECTURE, namespace)
    torch.manual_seed(0)
    model = namespace["Tied"]()
    model.norm.running_mean.fill_(0.5)  # type: ignore[operator, union-attr]
    return model.eval()


def steered() -> ModelProblem:
    x = torch.linspace(-1, 1, 60).view(20, 3)
    losses = {
        "low": lambda o, _: (o - 1).square().mean(),
        "high": lambda o, batch: (o + batch[0][:, :2]).square().mean(),
    }
    return ModelProblem(tied(), losses, TensorDataset(x), weight_decay=0.1)


def test_an_export_loads_without_paretonav_and_gives_the_same_outputs(tmp_path: Path) -> None:
    navigator = Navigator(steered())
    assert torch.equal(navigator.start().parameters, steered().parameters())
    point = navigator.step(Improve({"low": 1.0}), 0.01).point
    assert not torch.equal(point.parameters, steered().parameters())
    file, reference = tmp_path / "model.safetensors", tmp_path / "reference.safetensors"
    navigator.export(file)
    x = torch.linspace(-3, 3, 12).view(4, 3)
    outputs = navigator.problem.model(x).detach()  # type: ignore[attr-defined]
    save_file({"x": x, "outputs": outputs}, reference)
    command = [sys.executable, "-I", "-c", ARCHITECTURE + LOADING, str(file), str(reference)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "the same\n"), done.stderr
    with safe_open(file, "pt") as opened:
        facts = opened.metadata()
    assert json.loads(facts["paretonav.losses"]) == point.losses
    assert json.loads(facts["paretonav.weights"]) == point.weights
    assert json.loads(facts["paretonav.point"]) == point.id == 1


def test_what_is_written_is_the_state_dict(tmp_path: Path) -> None:
    problem = steered()
    theta = problem.parameters() + 1
    state = problem.state_dict(theta)
    write_state(str(tmp_path / "model.safetensors"), state, {"note": ["a", 1]})
    loaded = load_file(tmp_path / "model.safetensors")
    assert loaded.keys() == problem.model.state_dict().keys() == state.keys()
    for name, value in state.items():
        assert torch.equal(loaded[name], value)
        assert loaded[name].dtype == value.dtype
    fresh = tied()
    fresh.load_state_dict(loaded)
    problem.set_parameters(theta)
    x = torch.ones(2, 3)
    assert torch.equal(fresh(x), problem.model(x))


def test_views_transposes_and_shared_memory_are_written_as_they_look(tmp_path: Path) -> None:
    memory = torch.arange(6.0).view(2, 3)
    state = {
        "all": memory,
        "same": memory,
        "transposed": memory.T,
        "part": memory[1:],
        "grad": memory.requires_grad_(),
    }
    write_state(tmp_path / "odd.safetensors", state, {})
    loaded = load_file(tmp_path / "odd.safetensors")
    assert all(torch.equal(loaded[name], value) for name, value in state.items())


def test_an_older_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    for value in (1.0, 2.0):
        write_state(file, {"a": torch.full((2,), value)}, {})
        assert load_file(file)["a"].tolist() == [value, value]
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_has_the_permissions_of_any_other(tmp_path: Path) -> None:
    write_state(tmp_path / "model.safetensors", {"a": torch.zeros(1)}, {})
    (tmp_path / "other").touch()
    modes = {path.name: stat.filemode(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes["model.safetensors"] == modes["other"]


def test_the_scratch_is_next_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere it could be on another disk, from where nothing can be renamed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    write_state(tmp_path / "model.safetensors", {"a": torch.zeros(1)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_bare_file_name_is_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_state("model.safetensors", {"a": torch.zeros(1)}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("step", ["save_file", "replace"])
def test_a_failure_half_way_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    file = tmp_path / "model.safetensors"
    write_state(file, {"a": torch.ones(2)}, {})

    def full(_: object, path: Path, *__: object) -> None:
        path.write_bytes(b"a beginning")
        raise OSError(28, "No space left on device")

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    if step == "save_file":
        monkeypatch.setattr(files, "save_file", full)
    else:
        monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(
        NavigationError, match=r"cannot write '.*model\.safetensors': .*(No space|Permission)"
    ) as caught:
        write_state(file, {"a": torch.zeros(2)}, {})
    assert isinstance(caught.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == [file]
    assert load_file(file)["a"].tolist() == [1, 1]


@pytest.mark.parametrize("name", ["no/such/model.safetensors", "file/model.safetensors", "taken.safetensors"])
def test_a_path_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    (tmp_path / "taken.safetensors").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(NavigationError, match=name):
        write_state(tmp_path / name, {"a": torch.zeros(1)}, {})
    assert sorted(tmp_path.rglob("*")) == before
