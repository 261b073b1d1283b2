"""What is logged to Weights & Biases offline is in the file of the run, which is what would be sent."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.loggers.walks import ODD, walk

import paretonav as pn

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.slow,
]
wandb = pytest.importorskip("wandb")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("WANDB_SILENT", "true")
    begun = wandb.init(project="steering", mode="offline", dir=str(tmp_path))
    yield begun
    begun.finish()


def records(content: bytes) -> Iterator[bytes]:
    """What a log of LevelDB holds: blocks of 32 KiB, pieces with a checksum, a length and a kind before them."""
    at, whole = 7, b""  # behind the head of the file
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        at += 7
        if at + length > len(content):  # not all of it is written yet
            return
        whole += content[at : at + length]
        at += length
        if kind in (1, 4):  # the whole of it, or its last piece
            yield whole
            whole = b""


def rows(run: Any, folder: Path) -> list[dict[str, Any]]:
    """The history of a run, from its file, which a process of its own goes on to write after the run has ended."""
    run.finish()
    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    while not any(record.HasField("exit") for record in written(file)):
        time.sleep(0.05)
    items = [record.history.item for record in written(file) if record.HasField("history")]
    return [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in row} for row in items
    ]


def written(file: Path) -> list[Any]:
    from wandb.proto import wandb_internal_pb2

    return [wandb_internal_pb2.Record.FromString(content) for content in records(file.read_bytes())]


def test_every_point_is_in_the_run(run: Any, tmp_path: Path) -> None:
    nav, told = walk(pn.loggers.WandB(run, pictures=("front", "steps")))
    found = rows(run, tmp_path)
    assert [row["point"] for row in found] == [0, 1, 2, 2]
    assert [row["step/status"] for row in found] == ["start", "accepted", "accepted", "rejected"]
    assert [row["validation loss/first"] for row in found[:3]] == [
        news.point.validation["first"] for news in told[:3]
    ]
    assert found[2][f"metric/{ODD}"] == nav.here.metrics[ODD]
    assert found[1]["step/words"] == told[1].step.explain()  # type: ignore[union-attr]
    assert found[1]["charts/steps._type"] == "image-file"
    (card,) = tmp_path.glob("wandb/offline-run-*/files/cards/point 2.md")
    assert card.read_text("utf-8") == nav.session.card(2)


def test_without_a_run_it_says_what_to_do() -> None:
    with pytest.raises(pn.NavigationError, match=r"call wandb\.init\(\) before, or give run="):
        pn.loggers.WandB()
