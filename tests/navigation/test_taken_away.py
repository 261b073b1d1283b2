"""What was chosen, taken away: it loads in a process without paretonav and has the losses that were shown."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from paretonav import FunctionProblem, Improve, ModelProblem, NavigationError, Navigator, SessionError

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")

# The same in the process that exports and in the one that loads.
COMMON = """
import json, sys
import torch

def losses_of(logits, ids):
    each = torch.nn.functional.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="none").mean(1)
    low = (ids[:, 0] < 6).to(each)
    return {"low": 2 * (each * low).mean(), "high": 2 * (each * (1 - low)).mean()}

def data():
    ids = torch.randint(0, 12, (16, 6), generator=torch.Generator().manual_seed(0))
    ids[:, 0] = torch.arange(16) % 12
    ids[8:, 0] = torch.tensor([0, 7, 1, 8, 2, 9, 3, 10])
    return ids

def config():
    import transformers
    return transformers.LlamaConfig(
        vocab_size=12, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=8, tie_word_embeddings=True, bos_token_id=0, eos_token_id=0,
        pad_token_id=0,
    )
"""
LOADED = """
import peft, transformers
from pathlib import Path

def found(model):
    with torch.no_grad():
        outputs = model(input_ids=data())  # not as many as in the programs' example
    return {name: float(loss) for name, loss in losses_of(outputs.logits, data()).items()}

folder = Path(sys.argv[1])
whole = transformers.AutoModelForCausalLM.from_pretrained(folder / "whole").eval()
assert whole.lm_head.weight is whole.model.embed_tokens.weight
base = transformers.AutoModelForCausalLM.from_pretrained(folder / "base")
adapters = peft.PeftModel.from_pretrained(base, folder / "adapters").eval()
models = {"whole": whole, "adapters": adapters}
models |= {f"{name}.pt2": torch.export.load(folder / f"{name}.pt2").module() for name in ("whole", "adapters")}
print(json.dumps({name: found(model) for name, model in models.items()}))
assert not any("paretonav" in name for name in sys.modules)
"""
common: dict[str, Any] = {}
exec(COMMON, common)


def llama() -> nn.Module:
    transformers = pytest.importorskip("transformers")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = transformers.LlamaForCausalLM(common["config"]()).eval()
        for p in model.parameters():
            p.data.mul_(3)  # of the tiny default weights nothing can be read
    return model


def adapted(base: nn.Module) -> nn.Module:
    peft = pytest.importorskip("peft")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
        model: nn.Module = peft.get_peft_model(base, config).eval()
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.data.normal_(std=0.3)
    return model


def problem_of(model: nn.Module) -> ModelProblem:
    return ModelProblem(
        model,
        {
            name: lambda outputs, batch, name=name: common["losses_of"](outputs, batch[0])[name]
            for name in ("low", "high")
        },
        TensorDataset(common["data"]()),
        forward=lambda model, batch: model(input_ids=batch[0]).logits,
        batch_size=16,
    )


def chosen(model: nn.Module) -> Navigator:
    """A navigator one step away from the model that came."""
    came = {name: p.detach().clone() for name, p in model.named_parameters()}
    nav = Navigator(problem_of(model))
    nav.start()
    nav.step(Improve({"low": 1.0}), 0.01)
    assert nav.here.id == 1
    assert any(not torch.equal(came[name], p) for name, p in model.named_parameters())
    return nav


@pytest.mark.slow
def test_each_format_loads_without_paretonav_and_has_the_losses_that_were_shown(tmp_path: Path) -> None:
    """Adapters by peft, a whole model by transformers, and programs by torch, all in one process of its own."""
    base, shown = llama(), {}
    base.save_pretrained(tmp_path / "base")  # type: ignore[operator]
    for name, model in (("whole", llama()), ("adapters", adapted(base))):
        model.config.use_cache = False  # type: ignore[union-attr]
        nav = chosen(model)
        nav.export(tmp_path / name, card=True)
        nav.export(tmp_path / f"{name}.pt2", card=True, example={"input_ids": common["data"]()[:3]})
        shown |= dict.fromkeys((name, f"{name}.pt2"), nav.here.losses)
        assert (tmp_path / f"{name}.md").read_text("utf-8") == nav.session.card()
    written = {file.name for file in (tmp_path / "adapters").iterdir()}
    assert {"adapter_config.json", "adapter_model.safetensors", "README.md"} <= written
    assert "model.safetensors" not in written, "adapters alone are written"
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", COMMON + LOADED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.keys() == shown.keys()
    for name, losses in shown.items():
        assert found[name] == pytest.approx(losses, rel=1e-5), name


def test_a_program_says_what_was_shown(tmp_path: Path) -> None:
    nav = plain()
    nav.export(tmp_path / "chosen.pt2", example=(torch.ones(2, 3),))
    extra = {"paretonav.losses": "", "paretonav.weights": "", "paretonav.point": ""}
    torch.export.load(tmp_path / "chosen.pt2", extra_files=extra)
    told = {name.removeprefix("paretonav."): json.loads(text) for name, text in extra.items()}
    assert told == {"losses": nav.here.losses, "weights": nav.here.weights, "point": 1}


def test_a_folder_without_a_head_has_the_card_alone(tmp_path: Path) -> None:
    nav = chosen(llama())
    nav.export(f"{tmp_path}/chosen-1.5/", card=True)
    assert (tmp_path / "chosen-1.5" / "README.md").read_text("utf-8") == nav.session.card()


@pytest.mark.slow
def test_where_the_number_of_examples_cannot_vary_it_is_fixed(tmp_path: Path) -> None:
    nav = chosen(adapted(llama()))
    ids = common["data"]()[:3]
    nav.export(tmp_path / "chosen.pt2", example={"input_ids": ids, "use_cache": False})
    program = torch.export.load(tmp_path / "chosen.pt2").module()
    with torch.no_grad():
        expected = nav.problem.model(input_ids=ids).logits  # type: ignore[attr-defined]
        torch.testing.assert_close(program(input_ids=ids, use_cache=False).logits, expected)


def plain() -> Navigator:
    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.linear(x).tanh()

    torch.manual_seed(0)
    losses = {
        "low": lambda outputs, _: (outputs[:, 0] - 0.5).square().mean(),
        "high": lambda outputs, batch: (outputs - batch[0][:, :2]).square().mean(),
    }
    nav = Navigator(ModelProblem(Halves(), losses, TensorDataset(torch.linspace(-1, 1, 60).view(20, 3))))
    nav.start()
    nav.step(Improve({"low": 1.0}), 0.01)
    return nav


def test_a_program_takes_as_many_examples_as_there_are(tmp_path: Path) -> None:
    nav = plain()
    nav.export(tmp_path / "chosen.pt2", example=(torch.ones(2, 3),))
    program = torch.export.load(tmp_path / "chosen.pt2").module()
    x = torch.linspace(-2, 2, 21).view(7, 3)
    torch.testing.assert_close(program(x), nav.problem.model(x))  # type: ignore[attr-defined]


def test_shapes_are_as_they_are_asked_for(tmp_path: Path) -> None:
    nav = plain()
    nav.export(tmp_path / "chosen.pt2", example=(torch.ones(2, 3),), dynamic_shapes=(None,))
    program = torch.export.load(tmp_path / "chosen.pt2").module()
    assert program(torch.ones(2, 3)).shape == (2, 2)
    with pytest.raises(AssertionError):
        program(torch.ones(7, 3))


def test_the_point_is_the_one_where_the_navigation_is(tmp_path: Path) -> None:
    nav = chosen(llama())
    nav.undo()
    nav.export(tmp_path / "first")
    loaded = pytest.importorskip("transformers").AutoModelForCausalLM.from_pretrained(tmp_path / "first")
    for name, value in llama().state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_what_a_hub_reads_stays_at_the_head_of_a_card(tmp_path: Path) -> None:
    nav = chosen(adapted(llama()))
    nav.export(tmp_path / "chosen", card=True)
    text = (tmp_path / "chosen" / "README.md").read_text("utf-8")
    head, card = text.removeprefix("---\n").split("\n---\n\n", 1)
    assert "library_name: peft" in head
    assert card == nav.session.card()


class Failing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) * (2 if float(x.sum()) > 0 else 1)

    def save_pretrained(self, folder: Path) -> None:
        (folder / "half").write_text("a beginning")
        raise OSError(28, "No space left on device")


def failing() -> Navigator:
    losses = {f"l{i}": lambda o, _, i=i: (o[:, i] - 0.3).square().mean() for i in range(2)}
    nav = Navigator(ModelProblem(Failing(), losses, TensorDataset(torch.rand(8, 3))))
    nav.start()
    return nav


def test_a_failure_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    nav = failing()
    with pytest.raises(SessionError, match=r"cannot write '.*chosen': No space left on device"):
        nav.export(tmp_path / "chosen")
    (tmp_path / "chosen.pt2").write_bytes(b"before")
    with pytest.raises(SessionError, match=r"torch\.export cannot follow the model \(.*\.safetensors"):
        nav.export(tmp_path / "chosen.pt2", example=(torch.ones(2, 3),))
    assert (tmp_path / "chosen.pt2").read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["chosen.pt2"]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("folder", {}, r"a Halves has no save_pretrained, as models of transformers and peft have; give"),
        ("chosen.pt2", {}, r"without knowing how the model is called; give example=\(inputs,\), or"),
        ("chosen.pt2", {"example": torch.ones(2, 3)}, r"without knowing how the model is called"),
        ("chosen.bin", {}, r"give a file name that ends in \.safetensors"),
        ("no/such/chosen.pt2", {"example": (torch.ones(2, 3),)}, "cannot write .*No such file or directory"),
    ],
)
def test_what_is_not_possible_says_what_is(
    tmp_path: Path, name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(SessionError, match=message):
        plain().export(tmp_path / name, **arguments)
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_over(tmp_path: Path) -> None:
    nav = chosen(llama())
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("something")
    (tmp_path / "file").write_text("something")
    for name in ("taken", "file"):
        with pytest.raises(SessionError, match="there is something already; give a new folder"):
            nav.export(tmp_path / name)
    (tmp_path / "empty").mkdir()
    nav.export(tmp_path / "empty")
    assert (tmp_path / "empty" / "config.json").is_file()


def test_a_model_that_was_changed_is_not_the_point(tmp_path: Path) -> None:
    nav = plain()
    next(nav.problem.model.parameters()).data.add_(1)  # type: ignore[attr-defined]
    with pytest.raises(NavigationError, match="changed since point 1 was made"):
        nav.export(tmp_path / "chosen.pt2", example=(torch.ones(2, 3),))


def test_a_function_has_no_model_to_take_away(tmp_path: Path) -> None:
    nav = Navigator(
        FunctionProblem(lambda x: torch.stack([x.square().sum(), (x - 1).square().sum()]), torch.rand(2))
    )
    nav.start()
    with pytest.raises(SessionError, match="the problem has no model, only parameters"):
        nav.export(tmp_path / "folder")
