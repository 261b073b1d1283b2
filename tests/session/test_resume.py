"""Resumed navigations go on as if they had not been interrupted; sessions of something else are refused."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from paretonav.session import Journal, tangents
from paretonav.steering.stepping.correctors import Newton


def model_problem(
    seed: int = 0, shift: float = 0.0, batch_size: int = 16, **options: object
) -> pn.ModelProblem:
    """Two tasks on one small trunk, with BatchNorm and a frozen layer, which a session must restore."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 2))
    model[3].bias.requires_grad_(False)  # type: ignore[union-attr]
    model[1].running_mean.fill_(0.1 * seed)  # type: ignore[operator, union-attr]
    x = torch.randn(96, 4, generator=torch.Generator().manual_seed(1))
    y = torch.stack([x[:, 0] + x[:, 1], x[:, 1] - x[:, 0] * x[:, 2]], dim=1) + shift
    return pn.ModelProblem(
        model.eval(),
        losses={
            "a": lambda outputs, batch: (outputs[:, 0] - batch[1][:, 0]).square().mean(),
            "b": lambda outputs, batch: (
                (outputs[:, 0] - batch[1][:, 1]).square().mean() + (outputs[:, 1] - 1).square().mean()
            ),
        },
        metrics={"size": pn.Metric(lambda outputs, batch: outputs.abs().mean(), higher_is_better=False)},
        train=TensorDataset(x[:64], y[:64]),
        validation=TensorDataset(x[64:], y[64:]),
        weight_decay=1e-2,
        batch_size=batch_size,
        **options,  # type: ignore[arg-type]
    )


def function_problem(seed: int = 0) -> pn.FunctionProblem:
    return pn.problems.quadratic(n=8, m=3, seed=seed)


PROBLEMS = {"model": model_problem, "function": function_problem}


def wishes(problem: pn.Problem) -> list[tuple[pn.Improve, float]]:
    first, second, *_ = problem.names
    return [
        (pn.Improve({first: 1.0}), 0.04),
        (pn.Improve({second: 1.0}), 0.02),
        (pn.Improve({first: 1.0}), 0.005),
    ]


def require_identical(one: object, other: object, where: str = "point") -> None:
    """Bit for bit, all the way down."""
    assert type(one) is type(other), where
    if isinstance(one, Tensor):
        assert one.dtype == other.dtype, where  # type: ignore[attr-defined]
        assert torch.equal(one.nan_to_num(), other.nan_to_num()), where  # type: ignore[attr-defined]
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype, where  # type: ignore[attr-defined]
        assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), where  # type: ignore[arg-type]
    elif is_dataclass(one):
        for field in fields(one):
            if field.name != "seconds":
                require_identical(
                    getattr(one, field.name), getattr(other, field.name), f"{where}.{field.name}"
                )
    elif isinstance(one, tuple | list):
        assert len(one) == len(other), where  # type: ignore[arg-type]
        for i, pair in enumerate(zip(one, other, strict=True)):  # type: ignore[call-overload]
            require_identical(*pair, f"{where}[{i}]")
    else:
        assert one == other, where


@pytest.mark.parametrize("kind", PROBLEMS)
@pytest.mark.parametrize("evicting", [False, True])
def test_a_resumed_navigation_goes_on_bit_for_bit(
    kind: str, evicting: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if evicting:  # no more than the current point's tangent is kept
        monkeypatch.setattr(tangents, "ROOM", 1)
    make: Callable[..., pn.Problem] = PROBLEMS[kind]
    first, second, third = wishes(make())

    through = pn.Navigator(make(), session=tmp_path / "through")
    through.start()
    through.step(*first)
    through.step(*second)
    through.go_to(1)
    through.step(*third)
    through.session.close()

    for part in range(4):
        nav = pn.Navigator(make(seed=part) if kind == "model" else make(), session=tmp_path / "parts")
        nav.start()
        if part == 1:
            nav.step(*first)
        if part == 2:
            nav.step(*second)
            nav.go_to(1)
        if part == 3:
            assert nav.here.id == 1
            nav.step(*third)
        nav.session.close()
    for point_id in range(4):
        one, other = through.session.point(point_id), nav.session.point(point_id)
        require_identical(one, other)
    require_identical(Journal(through.session).tangent(3), Journal(nav.session).tangent(3), "tangent")
    assert [record.parent for record in nav.session] == [None, 0, 1, 1]
    assert [record.achieved.train for record in nav.session] == [
        record.achieved.train for record in through.session
    ]
    if kind == "model":  # what is not steered is as it was, too
        one, other = (
            through.problem.state_dict(through.here.parameters),
            nav.problem.state_dict(nav.here.parameters),
        )
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_what_is_in_memory_and_on_disk_is_the_same(tmp_path: Path) -> None:
    problem = model_problem()
    on_disk, in_memory = pn.Navigator(problem, session=tmp_path / "s"), pn.Navigator(model_problem())
    for nav in (on_disk, in_memory):
        nav.start()
        nav.step(*wishes(problem)[0])
    on_disk.session.close()
    again = pn.Session(tmp_path / "s")
    for point_id in (0, 1):
        require_identical(in_memory.session.point(point_id), again.point(point_id))
        one, other = in_memory.session[point_id], again[point_id]
        for field in fields(one):
            if field.name not in ("made", "cost"):
                assert getattr(one, field.name) == getattr(other, field.name), field.name
        assert one.losses.standard_errors == other.losses.standard_errors
        assert one.cost.hessian_products == other.cost.hessian_products


def test_the_current_point_notes_and_stars_are_kept(tmp_path: Path) -> None:
    problem = function_problem()
    with pn.Session(tmp_path / "s", write=True) as session:
        nav = pn.Navigator(problem, session=session)
        nav.start()
        nav.step(*wishes(problem)[0])
        nav.undo()
        session.note(1, "the one that 'Kim' likes; -- <b>")
        session.star(1)
        session.star(0)
        session.star(0, on=False)
    again = pn.Session(tmp_path / "s")
    assert again.current is not None
    assert again.current.id == 0
    assert [(r.note, r.star) for r in again] == [("", False), ("the one that 'Kim' likes; -- <b>", True)]
    assert pn.Navigator(function_problem(), session=tmp_path / "s").here.id == 0


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: pn.problems.quadratic(n=8, m=2), "the objectives differ"),
        (lambda: pn.problems.quadratic(n=9, m=3), "number of parameters differ, 8 there and 9 here"),
        (lambda: pn.problems.quadratic(n=8, m=3, seed=3), "'f1' on the train data is"),
    ],
)
def test_the_session_of_another_function_is_refused(
    tmp_path: Path, other: Callable[[], pn.Problem], words: str
) -> None:
    with pn.Session(tmp_path / "s", write=True) as session:
        pn.Navigator(function_problem(), session=session).start()
    with pytest.raises(pn.SessionError, match=words):
        pn.Navigator(other(), session=tmp_path / "s")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: model_problem(shift=0.1), "'a' on the train data is .* give the same data"),
        (lambda: model_problem(batch_size=8), "train data are divided otherwise"),
        (lambda: model_problem(parameters="3.weight"), "number of parameters differ"),
    ],
)
def test_the_session_of_another_model_is_refused_and_the_model_left_alone(
    tmp_path: Path, other: Callable[[], pn.ModelProblem], words: str
) -> None:
    with pn.Session(tmp_path / "s", write=True) as session:
        pn.Navigator(model_problem(seed=1), session=session).start()
    problem = other()
    before = {name: value.clone() for name, value in problem.model.state_dict().items()}
    with pytest.raises(pn.SessionError, match=words):
        pn.Navigator(problem, session=tmp_path / "s")
    assert all(torch.equal(value, before[name]) for name, value in problem.model.state_dict().items())


@pytest.mark.parametrize("precision", ["half", "delta"])
def test_less_precise_parameters_take_less_room_and_are_close(tmp_path: Path, precision: str) -> None:
    sizes, errors = {}, {}
    for kind in ("full", precision):
        problem = model_problem()
        with pn.Session(tmp_path / kind, write=True, precision=kind) as session:  # type: ignore[arg-type]
            nav = pn.Navigator(problem, session=session)
            nav.start()
            nav.step(*wishes(problem)[0])
            exact = nav.here.parameters
        stored = pn.Session(tmp_path / kind).point(1).parameters
        assert stored.dtype == exact.dtype
        errors[kind] = float((stored - exact).norm() / (exact - nav.session.point(0).parameters).norm())
        sizes[kind] = sum(f.stat().st_size for f in (tmp_path / kind).rglob("*.safetensors"))
        assert pn.Navigator(model_problem(), session=tmp_path / kind).here.id == 1
    assert errors["full"] == 0
    assert 0 < errors[precision] < (2**-10 if precision == "delta" else 0.1)
    assert sizes[precision] < sizes["full"]


def held_session(folder: Path, **options: object) -> None:
    with pn.Session(folder, write=True) as session:
        nav = pn.Navigator(model_problem(**options), session=session)  # type: ignore[arg-type]
        nav.start()
        nav.step(*wishes(nav.problem)[2])


def everything_in(folder: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize(
    ("options", "how", "says"),
    [
        ({}, {"corrector": Newton()}, "with the model held where it is, .*leave out corrector="),
        ({}, pn.ppe(), "with the model held where it is, .*leave out corrector="),
        (
            {"weights": {"a": 1, "b": 3}},
            {},
            "other training weights: a 0.5, b 0.5 there, a 0.25, b 0.75 here",
        ),
    ],
)
def test_an_anchor_that_does_not_fit_is_refused_and_nothing_is_lost(
    options: dict[str, object], how: dict[str, Any], says: str, tmp_path: Path
) -> None:
    held_session(tmp_path / "s")
    problem = model_problem(seed=1, **options)  # type: ignore[arg-type]
    theirs, kept = problem.parameters(), everything_in(tmp_path / "s")
    with pytest.raises(pn.SessionError, match=says):
        pn.Navigator(problem, **how, session=tmp_path / "s")
    assert torch.equal(problem.parameters(), theirs)
    assert everything_in(tmp_path / "s") == kept
    nav = pn.Navigator(model_problem(), session=tmp_path / "s")
    assert (nav.here.id, nav.here.anchor is None) == (1, False)


def test_a_model_that_was_led_to_the_front_is_not_held_in_the_same_session(tmp_path: Path) -> None:
    with pn.Session(tmp_path / "s", write=True) as session:
        pn.Navigator(model_problem(), corrector=Newton(), session=session).start()
    with pytest.raises(pn.SessionError, match="leads to the front, and this navigator holds the model"):
        pn.Navigator(model_problem(), session=tmp_path / "s")
    assert pn.Navigator(model_problem(), corrector=Newton(), session=tmp_path / "s").here.anchor is None


def test_a_session_in_memory_is_held_as_strictly() -> None:
    session = pn.Session()
    pn.Navigator(model_problem(), session=session).start()
    with pytest.raises(pn.SessionError, match="the session in memory was made with other training weights"):
        pn.Navigator(model_problem(weights={"a": 1, "b": 3}), session=session)
    pn.Navigator(model_problem(weights={"a": 2, "b": 2}), session=session)


def test_a_session_notes_the_training_weights(tmp_path: Path) -> None:
    held_session(tmp_path / "s", weights={"a": 1, "b": 4})
    with pytest.raises(pn.SessionError, match=r"a 0\.2, b 0\.8 there, a 0\.5, b 0\.5 here"):
        pn.Navigator(model_problem(), session=tmp_path / "s")
    record = pn.Session(tmp_path / "s")[1]
    assert record.weights == pytest.approx({"a": 0.2, "b": 0.8})
    assert (record.joint_gain, record.residual, record.on) == (None, None, "validation")
    assert record.pull == pn.Session(tmp_path / "s").point(1).anchor.part  # type: ignore[union-attr]


def test_a_second_navigator_reads_and_says_why_it_takes_no_steps(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = pn.Navigator(function_problem(), session=tmp_path / "s")
    writer.start()
    reader = pn.Navigator(function_problem(), session=tmp_path / "s")
    assert "for reading only: process" in caplog.text
    assert reader.start().id == 0
    wish, amount = wishes(reader.problem)[0]
    assert reader.preview(wish, amount).predicted.train == writer.preview(wish, amount).predicted.train
    for attempt in (lambda: reader.step(wish, amount), lambda: reader.session.star(0)):
        with pytest.raises(pn.SessionError, match=r"reading only.*process .* writes to it"):
            attempt()
    writer.step(wish, amount)
    assert len(reader.records) == 2
    writer.session.close()
    assert pn.Navigator(function_problem(), session=tmp_path / "s").session.writable


def test_every_kind_of_preference_is_kept_whole(tmp_path: Path) -> None:
    nav = pn.Navigator(function_problem(), session=tmp_path / "s")
    start = nav.start()
    f1, f2 = (start.losses[name] for name in ("f1", "f2"))
    asked = [
        pn.Aim({"f1": 0.99 * f1}, allow={"f2": 1.1 * f2}),
        pn.Classify(improve=["f1"], allow={"f2": 1.2 * f2}, units="range"),
        pn.Prefer({"f1": 1.0, "f2": 2.0}, {"f1": 2.0, "f2": 1.0}),
        pn.Direction({"f1": -1.0}, allow={"f2": 2 * f2}),
    ]
    for preference in asked:
        nav.step(preference, 0.01)
    nav.session.close()
    assert [record.preference for record in pn.Session(tmp_path / "s").records[1:]] == asked


def test_a_preference_of_ones_own_is_kept_as_what_it_said(tmp_path: Path) -> None:
    class Own:
        def wish(self, *arguments: object) -> object:
            return pn.Improve({"f1": 1.0}).wish(*arguments)  # type: ignore[arg-type]

        def __repr__(self) -> str:
            return "my own wish"

    nav = pn.Navigator(function_problem(), session=tmp_path / "s")
    nav.start()
    nav.step(Own(), 0.02)  # type: ignore[arg-type]
    nav.session.close()
    kept = pn.Session(tmp_path / "s")[1].preference
    assert repr(kept) == "my own wish"
    with pytest.raises(pn.PreferenceError, match="my own wish was not stored in full"):
        kept.wish(None)  # type: ignore[union-attr]


def test_the_random_state_is_that_of_the_last_point(tmp_path: Path) -> None:
    torch.manual_seed(5)
    with pn.Session(tmp_path / "s", write=True) as session:
        pn.Navigator(function_problem(), session=session).start()
        expected = torch.rand(3)
    torch.manual_seed(6)
    pn.Navigator(function_problem(), session=tmp_path / "s")
    assert torch.equal(torch.rand(3), expected)


def test_a_model_is_exported_without_its_code(tmp_path: Path) -> None:
    nav = pn.Navigator(model_problem(seed=2), session=tmp_path / "s")
    nav.start()
    nav.step(*wishes(nav.problem)[0])
    nav.session.close()
    expected = nav.problem.state_dict(nav.here.parameters)
    state = pn.Session(tmp_path / "s").state_dict()
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], expected[name]) for name in state)
    old = pn.Session(tmp_path / "s").state_dict(0)
    assert not torch.equal(old["0.weight"], state["0.weight"])
    assert torch.equal(old["1.running_mean"], state["1.running_mean"])
