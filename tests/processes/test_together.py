"""Several processes compute what one does; whatever goes wrong in one, none is left waiting."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from .launching import launch, succeeded

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [2, 3])
def test_they_compute_what_one_does(tmp_path: Path, size: int) -> None:
    ended = succeeded(launch("parity", tmp_path, size=size))
    assert all("the same" in each.out for each in ended)


def test_collectives_and_bytes_are_those_of_the_documentation(tmp_path: Path) -> None:
    assert "counted" in succeeded(launch("traffic", tmp_path))[0].out


def test_a_script_steers_as_in_one_process_and_goes_on_from_its_session(tmp_path: Path) -> None:
    session = tmp_path / "session"
    for last in (2, 3):
        first, second = succeeded(launch("steered", tmp_path, str(session)))
        assert first.out == f"at {last}\n"
        assert not second.out, "only the first process comes back"
    assert "Traceback" not in first.err + second.err


def test_the_block_ends_with_the_same_model_everywhere(tmp_path: Path) -> None:
    assert all("on" in each.out for each in succeeded(launch("gone_on", tmp_path)))


def test_an_error_of_one_is_the_error_of_all(tmp_path: Path) -> None:
    assert all("mended" in each.out for each in succeeded(launch("failing", tmp_path)))


def test_cancelling(tmp_path: Path) -> None:
    assert "cancelled" in succeeded(launch("cancelled", tmp_path))[0].out


@pytest.mark.parametrize(("who", "when"), [(1, "pass"), (0, "pass"), (1, "waiting"), (0, "between")])
def test_one_that_is_killed_ends_the_others(tmp_path: Path, who: int, when: str) -> None:
    ended = launch("killed", tmp_path, str(who), when)
    assert ended[who].status == -9
    left = ended[1 - who]
    assert left.status == 1
    assert "ProcessesError: another of the 2 processes" in left.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("what", "named"),
    [
        ("model", "in the names of the losses (a, b in process 0, mean, corner in process 1)"),
        ("numbers", "in the numbers in '0.weight'"),
        ("more data", "in the number of train examples (70 in process 0, 71 in process 1); give every process all"),
        ("other data", "in the numbers in batch 1 of 4 of the train data"),
        ("code", "in loss 'b' on a batch of the train data"),
        ("decay", "in weight_decay (0.0 in process 0, 0.1 in process 1)"),
    ],
)
def test_processes_that_differ_do_not_begin(tmp_path: Path, what: str, named: str) -> None:
    for each in launch("different", tmp_path, what):
        assert each.status == 1
        assert f"ProcessesError: process 1 of 2 differs from process 0 {named}" in each.err.splitlines()[-1]
