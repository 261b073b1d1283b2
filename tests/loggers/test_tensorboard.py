"""What is written for TensorBoard is read by its own reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.loggers.walks import ODD, walk
from tests.two_regressions import two_regressions

import paretonav as pn

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
board = pytest.importorskip("torch.utils.tensorboard")


def read(folder: Path) -> Any:
    return reader.EventAccumulator(str(folder), size_guidance={"images": 0, "tensors": 0}).Reload()


def texts(events: Any, tag: str) -> list[tuple[int, str]]:
    return [
        (event.step, event.tensor_proto.string_val[0].decode())
        for event in events.Tensors(f"{tag}/text_summary")
    ]


def test_the_lines_on_the_page_do_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = Path(__file__).parents[2] / "docs" / "home.md"
    (lines,) = re.findall(
        r"```python\n(.*?)```", page.read_text("utf-8").partition("## Loggers\n")[2], re.DOTALL
    )
    names = {"problem": two_regressions((1.0, 3.0))}
    exec(lines, names)
    assert [
        event.step for event in read(tmp_path / "runs" / "steering").Scalars("validation loss/first")
    ] == [0, 1]


def test_every_point_is_there(tmp_path: Path) -> None:
    nav, told = walk(pn.loggers.TensorBoard(tmp_path, pictures=("front", "steps")))
    events = read(tmp_path)
    scalars = events.Scalars("validation loss/first")
    assert [event.step for event in scalars] == [0, 1, 2]
    assert [event.value for event in scalars] == pytest.approx(
        [news.point.validation["first"] for news in told[:3]]
    )
    changes = [event.value for event in events.Scalars("achieved validation change/second")]
    assert changes == pytest.approx([news.step.achieved.validation["second"] for news in told[1:3]])  # type: ignore[union-attr]
    assert f"metric/{ODD}" in events.Tags()["scalars"]
    assert [status for _, status in texts(events, "status")] == ["start", "accepted", "accepted", "rejected"]
    assert texts(events, "step")[1] == (1, told[1].step.explain())  # type: ignore[union-attr]
    assert texts(events, "card")[-1] == (2, nav.session.card(2))
    assert [image.step for image in events.Images("charts/front")] == [0, 1, 2]
    assert [image.step for image in events.Images("charts/steps")] == [1, 2]
    assert events.Images("charts/front")[0].encoded_image_string.startswith(b"\x89PNG")


def test_a_writer_of_ones_own_is_written_to(tmp_path: Path) -> None:
    with board.SummaryWriter(str(tmp_path)) as writer:
        writer.add_scalar("training", 1.0, 0)
        pn.Navigator(
            pn.problems.quadratic(n=6, m=2), callbacks=[pn.loggers.TensorBoard(writer, pictures=())]
        ).start()
        writer.add_scalar("training", 2.0, 1)
    events = read(tmp_path)
    assert [event.value for event in events.Scalars("training")] == [1.0, 2.0]
    assert "train loss/f1" in events.Tags()["scalars"]
    assert events.Tags()["images"] == []


def test_one_that_cannot_write_loses_no_step(tmp_path: Path) -> None:
    logger = pn.loggers.TensorBoard(tmp_path, pictures=())
    logger.writer.add_scalar = None  # type: ignore[assignment, method-assign]
    nav = pn.Navigator(pn.problems.quadratic(n=6, m=2), callbacks=[logger])
    nav.start()
    assert nav.step(pn.Improve({"f1": 1.0}), 0.05).status is pn.StepStatus.ACCEPTED
