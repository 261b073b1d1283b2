"""With a tiny random model in the place of the real one: nothing is downloaded."""

from __future__ import annotations

import importlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import paretonav as pn
from paretonav.geometry import Curvature
from paretonav.problems import code_and_prose, language, small_language_model

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")

SMALL: dict[str, Any] = {
    "train_size": 32,
    "validation_size": 32,
    "test_size": 24,
    "length": 8,
    "layers": 2,
    "rank": 2,
}
SIZES = {"train": 32, "validation": 32, "test": 24}
ALPHABET = 32
USED = 27  # of them, by any text


def characters(text: str) -> list[int]:
    return [ord(character) % USED for character in text[:2000]]


def tiny(attention: str = "sdpa") -> nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=ALPHABET,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        tie_word_embeddings=True,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = transformers.LlamaForCausalLM._from_config(config, attn_implementation=attention)
        for p in model.parameters():
            p.data.mul_(4)  # of the tiny default weights nothing can be read
    return model.eval()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the model's file is, which stands for a tiny one; no network."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(small_language_model, "download", refuse)
    monkeypatch.setattr(small_language_model, "load", lambda _, attention: (tiny(attention), characters))
    monkeypatch.setattr(importlib.import_module("paretonav.problems.language"), "require", lambda *_: None)
    (tmp_path / small_language_model.FOLDER).mkdir()
    (tmp_path / small_language_model.FILE).write_bytes(b"a model")
    return tmp_path


def batch_of(problem: pn.ModelProblem, split: Any = "train") -> dict[str, Any]:
    """All of a split as one batch."""

    def joined(parts: list[Any]) -> Any:
        if isinstance(parts[0], dict):
            return {name: joined([part[name] for part in parts]) for name in parts[0]}
        return torch.cat(parts)

    found: dict[str, Any] = joined([batch for batch, _ in problem.data[split]])
    return found


def test_texts_are_those_of_this_python() -> None:
    texts = code_and_prose.texts()
    assert set(texts) == set(code_and_prose.KINDS)
    assert any(text.startswith('"""Random variable generators.') for text in texts["code"])
    assert any('The "if" statement' in text for text in texts["prose"])


def test_no_text_is_in_two_splits_and_windows_do_not_overlap() -> None:
    names = {"code": "abcdefghijklmnopqrst", "prose": "ABCDEFGHIJKLMNOPQRSTUVW"}
    lengths = {letter: 40 + 3 * i for i, letter in enumerate("".join(names.values()))}
    texts = {kind: list(letters) for kind, letters in names.items()}
    sizes = {"train": 30, "validation": 20, "test": 10}

    def tokenize(letter: str) -> list[int]:  # which text, and where in it
        return [1000 * ord(letter) + place for place in range(lengths[letter])]

    made = code_and_prose.windows(texts, tokenize, 4, sizes, torch.Generator().manual_seed(0))
    assert {split: len(part.texts) for split, part in made.items()} == sizes
    seen: dict[int, set[str]] = {}
    for split, part in made.items():
        for kind in texts:
            tokens = part.tokens[kind]
            assert tokens.shape == (sizes[split], 4)
            assert torch.equal(tokens[:, 1:] - tokens[:, :-1], torch.ones(sizes[split], 3, dtype=torch.long))
            assert len(set(tokens[:, 0].tolist())) == sizes[split]
            assert (tokens[:, 0] % 1000 % 4 == 0).all()
            for source, pair in zip((tokens[:, 0] // 1000).tolist(), part.texts.tolist(), strict=True):
                seen.setdefault(source, set()).add(f"{split} {pair}")
    assert all(len(places) == 1 for places in seen.values()), "a text is of one pair in one split"
    for part in made.values():
        counts = np.bincount(part.texts)[part.texts.min() :]
        assert counts.max() - counts.min() <= 1, "texts are about as frequent as each other"


def test_too_few_windows_are_told() -> None:
    texts = {kind: ["x" * 64] * 8 for kind in code_and_prose.KINDS}
    sizes = {"train": 4, "validation": 4, "test": 33}
    with pytest.raises(
        pn.ProblemError,
        match=r"only 32 windows of 4 tokens for test data, too few for 33; give a smaller test_size or a shorter",
    ):
        code_and_prose.windows(texts, characters, 4, sizes, torch.Generator())


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("layers", [1, 2, 9])
@pytest.mark.parametrize("vocabulary", ["occurring", "whole"])
def test_losses_are_those_of_the_whole_model(
    folder: Path, attention: Any, layers: int, vocabulary: Any
) -> None:
    problem = language(
        folder=folder, attention=attention, vocabulary=vocabulary, **{**SMALL, "layers": layers}
    )
    theta = problem.parameters()
    theta += 0.3 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(0))
    problem.set_parameters(theta)
    for split, size in SIZES.items():
        batch = batch_of(problem, split)
        found = problem.evaluate(theta, split).mean  # type: ignore[arg-type]
        for i, kind in enumerate(("code", "prose")):
            ids = batch["tokens"][kind]
            assert ids.shape == (size, 8)
            with torch.no_grad():
                logits = problem.model(input_ids=ids).logits[:, :-1]
            if vocabulary == "occurring":
                logits[..., USED:] = -torch.inf
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
            assert problem.names[i] == kind
            assert float(found[i]) == pytest.approx(float(loss), rel=1e-5)


def test_what_is_steered_are_adapters_on_queries_and_values_of_the_last_layers(folder: Path) -> None:
    problem = language(folder=folder, **SMALL)
    assert len(problem.steered) == 2 * 2 * 2
    for name in problem.steered:
        assert ".layers.2." in name or ".layers.3." in name
        assert ".q_proj.lora_" in name or ".v_proj.lora_" in name
    assert isinstance(problem.model, peft.PeftModel)


def test_it_begins_as_the_pretrained_model_and_comes_trained(folder: Path) -> None:
    problem = language(folder=folder, **SMALL)
    assert problem.comes_trained
    ids = batch_of(problem)["tokens"]["code"]
    with torch.no_grad():
        assert torch.equal(problem.model(input_ids=ids).logits, tiny()(input_ids=ids).logits)


def test_weights_are_those_of_the_training(folder: Path) -> None:
    problem = language(folder=folder, weights={"code": 2.0, "prose": 0.0}, **SMALL)
    assert problem.training_weights.tolist() == [1.0, 0.0]


def test_standard_errors_are_those_between_texts(folder: Path) -> None:
    problem = language(folder=folder, **SMALL)
    batch = batch_of(problem, "validation")
    assert len(set(batch["texts"].tolist())) > 4
    for blocks in problem.data["validation"]:
        inside = set(blocks[0]["texts"].tolist())
        assert not any(
            inside & set(other[0]["texts"].tolist())
            for other in problem.data["validation"]
            if not torch.equal(other[0]["texts"], blocks[0]["texts"])
        )


def test_derivatives_are_those_of_differences(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In float64, but for RMSNorm, which transformers computes in float32: so steps are not small."""
    monkeypatch.setattr(
        small_language_model, "load", lambda _, attention: (tiny(attention).double(), characters)
    )
    products: list[Tensor] = []
    weights = torch.tensor([0.4, 0.6], dtype=torch.float64)

    def central(values: list[Tensor]) -> Tensor:
        """The slope, to fourth order, of what has these values at -2, -1, 1 and 2 hundredths."""
        a, b, c, d = values
        return (8 * (c - b) - (d - a)) / 0.12

    for attention in ("sdpa", "eager"):
        problem = language(folder=folder, attention=attention, **SMALL)  # type: ignore[arg-type]
        generator = torch.Generator().manual_seed(0)
        theta = problem.parameters()
        theta += 0.3 * torch.randn(theta.shape, generator=generator, dtype=theta.dtype)
        v = torch.randn(theta.shape, generator=generator, dtype=theta.dtype)
        v /= v.norm()
        there = [theta + 1e-2 * k * v for k in (-2, -1, 1, 2)]
        slopes = problem.jacobian(theta)[1] @ v
        differences = central([problem.evaluate(at).mean for at in there])
        torch.testing.assert_close(slopes, differences, atol=1e-4, rtol=1e-3)
        exact = Curvature(problem.curvature_sample(), theta, weights, kind="exact")(v[None])[0]
        bent = central([weights @ problem.jacobian(at)[1] for at in there])
        assert float((exact - bent).norm() / bent.norm()) < 1e-3
        products += [
            exact,
            Curvature(problem.curvature_sample(), theta, weights, kind="gauss-newton")(v[None])[0],
        ]
        assert float(v @ products[-1]) > 0
    torch.testing.assert_close(products[0], products[2], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(products[1], products[3], atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_it_is_adapted_and_then_steered(folder: Path) -> None:
    problem = language(folder=folder, **SMALL)
    came = problem.evaluate(problem.parameters(), "validation").mean
    nav = pn.Navigator(problem, geometry=pn.Geometry(samples=8))
    nav.start(train_on=pn.TrainOn(learning_rate_factor=5, batch_size=8, epochs=4, rounds=1))
    adapted = problem.evaluate(problem.parameters(), "validation").mean
    assert float(adapted.sum()) < float(came.sum())
    step = nav.step(pn.Improve({"code": 1.0}), 0.002)
    assert step.status in (pn.StepStatus.ACCEPTED, pn.StepStatus.SHORTENED)
    assert step.achieved.shown["code"] < 0


def test_seeds_are_reproducible(folder: Path) -> None:
    state = torch.get_rng_state()
    first, again, other = (language(folder=folder, **SMALL, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.parameters(), again.parameters())
    assert torch.equal(batch_of(first)["tokens"]["code"], batch_of(again)["tokens"]["code"])
    assert not torch.equal(first.parameters(), other.parameters())
    assert not torch.equal(batch_of(first)["tokens"]["code"], batch_of(other)["tokens"]["code"])
    assert torch.equal(torch.get_rng_state(), state)


def test_without_a_local_copy_or_the_network_the_error_says_what_to_do(folder: Path) -> None:
    (folder / small_language_model.FILE).unlink()
    with pytest.raises(
        pn.ProblemError, match=r"SmolLM2: there is no .*gguf.*no route to host.*bench/fetch_data\.py"
    ):
        language(folder=folder, **SMALL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rank": 0}, "rank = 0 is not possible"),
        ({"test_size": 0}, "test_size = 0 is not possible"),
        ({"length": 1}, "length = 1 is not possible.*there must be a token to predict"),
        ({"vocabulary": "all"}, "vocabulary='all' is not possible; give 'occurring' or 'whole'"),
        ({"attention": "flash"}, "attention='flash' is not possible; give 'sdpa' or 'eager'"),
        ({"train_size": 10**6}, "too few for 1000000; give a smaller train_size"),
    ],
)
def test_wrong_arguments_are_named(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        language(folder=folder, **{**SMALL, **arguments})


def test_without_the_libraries_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "gguf", None)
    with pytest.raises(
        pn.MissingExtraError, match=r'a problem on language.*gguf.* pip install "paretonav\[text\]"'
    ):
        language()


def test_a_file_of_four_bits_is_read_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A whole GGUF file of a tiny model, weights of the feed-forward layers in four bits."""
    gguf = pytest.importorskip("gguf")
    model = tiny_of_blocks()
    file = tmp_path / "tiny.gguf"
    expected = write_gguf(gguf, model, file)
    read, tokenize = small_language_model.load(file, "eager")
    assert capfd.readouterr() == ("", "")
    for name, value in expected.items():
        torch.testing.assert_close(read.state_dict()[name], value, atol=1e-6, rtol=1e-6)
    assert read.config._attn_implementation == "eager"
    adapters = small_language_model.adapted(read, 1, 1).peft_config["default"]  # type: ignore[index, union-attr]
    assert adapters.base_model_name_or_path == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert list(tokenize("ab ba")) == [28, 29, 4, 3]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    (tmp_path / "half.gguf").write_bytes(b"GGUF and no more")
    with pytest.raises(pn.ProblemError, match=r"half\.gguf: holds no language model .*; it is truncated or"):
        small_language_model.load(tmp_path / "half.gguf", "sdpa")


def tiny_of_blocks() -> nn.Module:
    """Of which weights have rows of 32, as four-bit blocks have."""
    config = transformers.LlamaConfig(
        vocab_size=30,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=16,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: nn.Module = transformers.LlamaForCausalLM(config)
    return model


def write_gguf(gguf: Any, model: nn.Module, file: Path) -> dict[str, Tensor]:
    """Write a model as llama.cpp's tools do; its parameters as they are read again."""
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_context_length(16)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(16)
    writer.add_vocab_size(30)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<unk>", "<s>", "</s>", *"abcdefghijklmnopqrstuvwxy", "ab", "Ġ"])
    writer.add_token_types([3, 3, 3, *[1] * 27])
    writer.add_token_merges(["a b"])
    for name, number in (("bos", 1), ("eos", 2), ("unk", 0), ("pad", 2)):
        getattr(writer, f"add_{name}_token_id")(number)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"}
    names |= {"self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up"}
    names |= {
        "mlp.down_proj": "ffn_down",
        "input_layernorm": "attn_norm",
        "post_attention_layernorm": "ffn_norm",
    }
    names = {f"model.layers.0.{ours}.weight": f"blk.0.{theirs}.weight" for ours, theirs in names.items()}
    names |= {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    expected = {}
    for ours, theirs in names.items():
        value = model.state_dict()[ours]
        stored = value.numpy()
        if (
            "q_proj" in ours or "k_proj" in ours
        ):  # llama.cpp has the halves of each head's rotations side by side
            heads = 2 if "q_proj" in ours else 1
            stored = stored.reshape(heads, 2, 8, 32).swapaxes(1, 2).reshape(stored.shape)
        if ".mlp." in ours:
            kind = gguf.GGMLQuantizationType.Q4_1
            packed = gguf.quantize(stored, kind)
            writer.add_tensor(theirs, packed, raw_dtype=kind)
            value = torch.from_numpy(gguf.dequantize(packed, kind).copy())
            assert 0 < float((value - model.state_dict()[ours]).abs().max()) < 0.05
        else:
            writer.add_tensor(theirs, np.ascontiguousarray(stored))
        expected[ours] = value
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return expected
