"""With a tiny random encoder and made-up sentences: nothing is downloaded."""

from __future__ import annotations

import importlib
import io
import socket
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

import paretonav as pn
from paretonav.problems import rated_sentences, sentence_encoder, sentences, sources
from paretonav.problems.trained import TrainedProblem

module = importlib.import_module("paretonav.problems.sentences")
WORDS = ["[PAD]", "[CLS]", "[SEP]", "bad", "plain", "good", "lol", "battery", "film", "senate", *"abcdefgh"]
SMALL: dict[str, Any] = {"train_size": 48, "validation_size": 24, "epochs": 2, "max_length": 8, "trunk": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an encoder of two layers, and 40 sentences of each kind that say what they are."""
    folder = tmp_path_factory.mktemp("data")
    config = transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = transformers.BertModel(config)  # with a pooler, as the real files
        for p in encoder.parameters():
            p.data.mul_(5)  # of the tiny default weights nothing can be read
    (folder / sentence_encoder.FOLDER).mkdir()
    (folder / sentence_encoder.FILES[0]).write_text(config.to_json_string(), encoding="utf-8")
    safetensors.torch.save_file(
        {**encoder.state_dict(), "embeddings.position_ids": torch.arange(16)},
        folder / sentence_encoder.FILES[1],
    )
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[PAD]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    tokenizer.enable_padding(length=16)  # the real one brings a setting of its own, too
    tokenizer.save(str(folder / sentence_encoder.FILES[2]))
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for word, kind in zip(("lol", "battery", "film", "senate"), rated_sentences.KINDS, strict=True):
            lines = [
                f"{i}\t{rating}\t{word} {feeling} {' '.join('abcdefgh'[: i % 8])}"
                for i in range(40)
                for rating, feeling in [
                    ((-1.5, "bad"), (-0.5, "plain"), (0.5, "plain"), (0.7, "good"))[i % 4]
                ]
            ]
            text = ("\ufeff" + "\n".join(lines)).encode()
            entry = tarfile.TarInfo(f"hutto_ICWSM_2014/{kind}_GroundTruth.txt")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
    sources.write(folder / f"{rated_sentences.ARCHIVE}.gz", content.getvalue())
    return folder


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(sentence_encoder, "download", refuse)
    monkeypatch.setattr(rated_sentences, "download", refuse)


def test_labels_are_those_of_the_files(folder: Path) -> None:
    kinds = rated_sentences.load(folder / f"{rated_sentences.ARCHIVE}.gz")
    assert [len(kind) for kind in kinds] == [40] * 4
    for i, kind in enumerate(kinds):
        for sentence in kind:
            word, feeling = sentence.text.split()[:2]
            assert sentence.kind == i == ["lol", "battery", "film", "senate"].index(word)
            assert sentence.sentiment == ["bad", "plain", "good"].index(feeling)


def test_splits_are_disjoint_and_have_all_kinds_alike(folder: Path) -> None:
    kinds = rated_sentences.load(folder / f"{rated_sentences.ARCHIVE}.gz")
    numbered = [[s._replace(text=f"{i} {j}") for j, s in enumerate(kind)] for i, kind in enumerate(kinds)]
    parts = rated_sentences.choose(numbered, (50, 30), torch.Generator().manual_seed(0))
    assert [len(part) for part in parts] == [50, 30]
    assert len({sentence.text for part in parts for sentence in part}) == 80
    for part in parts:
        counts = np.bincount([sentence.kind for sentence in part])
        assert counts.max() - counts.min() <= 1
    with pytest.raises(pn.ProblemError, match="there are only 40 tweets, too few for 162 sentences"):
        rated_sentences.choose(numbered, (162,), torch.Generator())


def test_batches_hold_tokens_masks_and_labels(folder: Path) -> None:
    problem = sentences(folder=folder, **SMALL)
    batches = list(problem.data["train"])
    assert sum(length for _, length in batches) == 48
    for batch, _ in batches:
        ids, mask, labels = batch["input_ids"], batch["attention_mask"], batch["labels"]
        assert ids.shape == mask.shape
        assert ids.shape[1] <= 8
        assert torch.equal(mask == 0, ids == 0), "no word of these is padding"
        assert torch.equal(ids[:, 1] - WORDS.index("lol"), labels[:, 1])
        assert torch.equal(ids[:, 2] - WORDS.index("bad"), labels[:, 0])


@pytest.mark.parametrize(
    ("parameters", "layers"), [("adapters", 1), ("adapters", 2), ("adapters", 9), ("heads", 1), ("all", 1)]
)
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_what_is_computed_once_changes_nothing(
    folder: Path, parameters: Any, layers: int, attention: Any
) -> None:
    problem = sentences(folder=folder, parameters=parameters, layers=layers, attention=attention, **SMALL)
    theta = problem.parameters()
    theta += 0.1 * torch.randn(theta.shape, generator=torch.Generator().manual_seed(0))
    problem.set_parameters(theta)
    for batch, _ in problem.data["train"]:
        assert ("states" in batch) == (parameters == "heads" or (layers == 1 and parameters == "adapters"))
        with torch.no_grad():
            whole = problem.model(batch["input_ids"], batch["attention_mask"])
            quick = problem._stateless.outputs(theta, batch)
        for task in ("sentiment", "source"):
            torch.testing.assert_close(quick[task], whole[task], atol=1e-5, rtol=1e-4)


def test_padding_does_not_matter(folder: Path) -> None:
    problem = sentences(folder=folder, **SMALL)
    (batch, _), *_ = problem.data["train"]
    wider = {name: torch.nn.functional.pad(batch[name], (0, 4)) for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        alone, padded = (problem.model(b["input_ids"], b["attention_mask"]) for b in (batch, wider))
    for task in ("sentiment", "source"):
        torch.testing.assert_close(alone[task], padded[task], atol=1e-5, rtol=1e-4)


def test_losses_and_metrics_belong_to_their_task(folder: Path) -> None:
    problem = sentences(folder=folder, **SMALL)
    assert isinstance(problem, TrainedProblem)
    assert problem.names == ("sentiment", "source")
    (batch, _), *_ = problem.data["train"]
    labels = batch["labels"]
    right = {
        task: 50.0 * torch.nn.functional.one_hot(labels[:, i], count)
        for i, (task, count) in enumerate((("sentiment", 3), ("source", 4)))
    }
    for spoilt in right:
        logits = {**right, spoilt: right[spoilt].roll(1, dims=1)}
        for task in right:
            assert float(module._CrossEntropy(list(right).index(task), task)(logits, batch)) == (
                pytest.approx(50 if task == spoilt else 0, abs=1e-5)
            )
            assert float(module._Accuracy(list(right).index(task), task)(logits, batch)) == (task != spoilt)


def test_what_is_steered_is_what_was_asked_for(folder: Path) -> None:
    steered = {
        kind: sentences(folder=folder, parameters=kind, **SMALL).steered
        for kind in ("adapters", "heads", "all")
    }
    heads = {
        "trunk.weight",
        "trunk.bias",
        *(f"heads.{t}.{w}" for t in module.TASKS for w in ("weight", "bias")),
    }
    assert set(steered["heads"]) == heads
    adapters = set(steered["adapters"]) - heads
    assert len(adapters) == 4
    assert all("encoder.layer.1." in name and "lora_" in name for name in adapters)
    assert heads < set(steered["all"])
    assert not any("lora" in name or "pooler" in name for name in steered["all"])
    assert any("word_embeddings" in name for name in steered["all"])


def test_the_encoder_has_the_weights_of_the_file(folder: Path) -> None:
    stored = safetensors.torch.load_file(folder / sentence_encoder.FILES[1])
    for name, value in sentences(folder=folder, parameters="all", **SMALL).model.encoder.state_dict().items():
        assert torch.equal(value, stored[name])


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("parameters", ["adapters", "all"])
def test_navigation_works_with_either_attention(folder: Path, attention: Any, parameters: Any) -> None:
    problem = sentences(folder=folder, parameters=parameters, attention=attention, **SMALL)
    assert problem.model.encoder.config._attn_implementation == attention
    nav = pn.Navigator(problem, geometry=pn.Geometry(samples=16, damping=1.0, max_iterations=10))
    start = nav.start(polish=False)
    wish = pn.Improve({"source": 1.0})
    expected = nav.preview(wish, amount=1e-3).predicted.validation
    assert nav.trial(wish, amount=1e-3).changes.losses == pytest.approx(expected, rel=0.02)
    # Nothing is trained here, and what the corrector makes up for is not what was promised.
    step = nav.step(wish, amount=1e-3)
    assert step.status is pn.StepStatus.REJECTED
    assert ", where " in step.reason
    assert step.reason.endswith(" was predicted")
    assert torch.equal(problem.parameters(), start.parameters)


def test_both_attentions_have_the_same_curvature(folder: Path) -> None:
    from paretonav.geometry import Curvature

    products = []
    for attention in ("sdpa", "eager"):
        problem = sentences(folder=folder, attention=attention, **SMALL)  # type: ignore[arg-type]
        theta = problem.parameters()
        vector = torch.randn(1, len(theta), generator=torch.Generator().manual_seed(0))
        for kind in ("exact", "gauss-newton"):
            operator = Curvature(
                problem.curvature_sample(16),
                theta,
                torch.tensor([0.4, 0.6]),
                kind=kind,  # type: ignore[arg-type]
            )
            products.append(operator(vector))
    torch.testing.assert_close(products[0], products[2], atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(products[1], products[3], atol=1e-4, rtol=1e-3)


def test_training_lowers_both_losses_and_seeds_are_reproducible(folder: Path) -> None:
    state = torch.get_rng_state()
    first, again, other = (
        sentences(folder=folder, seed=seed, **{**SMALL, "epochs": 8}) for seed in (1, 1, 2)
    )
    before = first.evaluate(first.parameters()).mean
    theta = first.train()
    assert (first.evaluate(theta).mean < before).all()
    assert torch.equal(theta, again.train())
    assert not torch.equal(first.parameters(), other.parameters())
    assert torch.equal(torch.get_rng_state(), state)
    assert not first.model.training


def test_without_a_local_copy_or_the_network_the_error_says_what_to_do(folder: Path, tmp_path: Path) -> None:
    remedy = r"no route to host; put the files there.*bench/fetch_data\.py"
    with pytest.raises(pn.ProblemError, match=rf"MiniLM: there is no .*model\.safetensors.*{remedy}"):
        sentences(folder=tmp_path, **SMALL)
    (tmp_path / sentence_encoder.FOLDER).symlink_to(folder / sentence_encoder.FOLDER)
    with pytest.raises(pn.ProblemError, match=rf"Rated sentences: there is no vader/.*{remedy}"):
        sentences(folder=tmp_path, **SMALL)


def test_without_the_libraries_the_error_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(importlib.import_module("sys").modules, "peft", None)
    with pytest.raises(pn.MissingExtraError, match=r'peft.* pip install "paretonav\[text\]"'):
        sentences(folder=folder, **SMALL)


def test_damaged_files_are_named(folder: Path, tmp_path: Path) -> None:
    for name in (*sentence_encoder.FILES, f"{rated_sentences.ARCHIVE}.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    for name, what in (
        (sentence_encoder.FILES[2], r"tokenizer\.json: is no tokenizer"),
        (sentence_encoder.FILES[1], "MiniLM-L6-v2: holds no encoder"),
        (f"{rated_sentences.ARCHIVE}.gz", r"tar\.gz: is not the archive of rated sentences"),
    ):
        whole = (tmp_path / name).read_bytes()
        sources.write(tmp_path / name, b"something else")
        with pytest.raises(pn.ProblemError, match=what):
            sentences(folder=tmp_path, **SMALL)
        (tmp_path / name).write_bytes(whole)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": "some"}, "parameters='some' is not possible; give one of 'adapters', 'heads', 'all'"),
        ({"trunk": 0}, "trunk = 0 is not possible"),
        ({"max_length": 2}, "max_length = 2 is not possible"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        sentences(folder=tmp_path, **arguments)
