from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

import paretonav as pn
from zoo import __main__ as command
from zoo import adversarial, measure, recommender
from zoo.bring import problem_of
from zoo.case import NOT_TRAINED_ON, Case
from zoo.kinds import KINDS
from zoo.measure import AMOUNTS, BROUGHT, FURTHER, GAIN, Start, measured, wishes
from zoo.rivals import Tuning, control, epoch_seconds, reach, trained_on, tunings
from zoo.rows import COLUMNS, Key, Store, key, numbers
from zoo.scans import digits, in_bundles, overlaid
from zoo.text import windows
from zoo.training import Task, sgd, trained
from zoo.verdicts import verdicts


@pytest.fixture(scope="module")
def case() -> Case:
    """Three targets that one hidden feature serves, in a small network trained to its end."""
    generator = torch.Generator().manual_seed(0)
    wanted = torch.tensor([[1.0, 0.0, 0.7], [0.0, 1.0, 0.7]])

    def data(n: int) -> TensorDataset:
        x = torch.randn(n, 2, generator=generator)
        return TensorDataset(x, x @ wanted + 0.3 * torch.randn(n, 3, generator=generator))

    losses = {
        name: lambda outputs, batch, i=i: (outputs[:, i] - batch[1][:, i]).square().mean()
        for i, name in enumerate("abc")
    }
    task = Task(losses, data(400), data(200), data(200), weights={"c": 2.0})
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 3))
    return trained("small", model, task, optimizer=sgd, rate=0.02, batch_size=50, epochs=40)


def of(row: Any) -> tuple[str, str, str]:
    return str(row["wish"]), f"{row['amount']:g}", str(row["method"])


@pytest.mark.slow
def test_a_case_becomes_rows_and_is_not_measured_twice(case: Case, tmp_path: Any) -> None:
    store = Store(tmp_path / "zoo.csv")
    before = copy.deepcopy(case.model.state_dict())
    for rows in measured(case, 1, (0.02,)):
        assert all(set(row) <= set(COLUMNS) for row in rows)
        store.add(rows)
    assert all(torch.equal(before[name], value) for name, value in case.model.state_dict().items())
    found = store.load()
    assert found["method"].tolist()[0] == "start"
    assert found["method"].tolist()[-1] == GAIN
    steps = found[found["method"] == "step"]
    assert steps["wish"].tolist() == ["a", "b", "c", "a & b"]
    assert {v.amount for v in verdicts(found)} == {0.02}
    taken = steps[steps["status"].isin(["accepted", "shortened"])]
    assert len(taken)
    for _, step in taken.iterrows():
        beside = found[(found["wish"] == step["wish"]) & (found["amount"] == step["amount"])]
        assert sum(beside["method"].str.startswith(("named x 3", "named x 10", "planned"))) == 6
        assert sum(beside["method"] == "control") == 1
        assert (beside["seconds"].dropna() == step["seconds"]).all()
        assert len(numbers(step["previewed validation"])) == 3
        assert not torch.tensor(numbers(step["test"])).isnan().any()
    assert list(measured(case, 1, (0.02,), store.done())) == []


@pytest.mark.slow
def test_the_published_method_takes_one_step(case: Case) -> None:
    done = {
        key("small", 0, BROUGHT),
        *(key("small", 0, BROUGHT, wish, 0.01) for wish in ("a", "b", "c", "a & b")),
    }
    ((ppe,), (gain,)) = measured(case, 0, (0.01,), done)
    assert of(ppe) == ("ppe: a", "0.05", "ppe")
    assert gain["method"] == GAIN


@pytest.mark.slow
def test_only_what_is_missing_is_measured(case: Case) -> None:
    done: set[Key] = {key("small", 1, BROUGHT), key("small", 1, BROUGHT, GAIN)}
    done |= {key("small", 1, BROUGHT, wish, 0.01) for wish in ("a", "c", "a & b")}
    assert [of(rows[0]) for rows in measured(case, 1, (0.01,), done)] == [("b", "0.01", "step")]


@pytest.mark.slow
def test_where_training_on_pays_all_is_measured_once_more_after_it(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, asked = pn.Navigator.start, []

    def further(self: pn.Navigator, *, train_on: bool = False) -> pn.Point:
        asked.append(train_on)
        return start(self)

    monkeypatch.setattr(pn.Navigator, "start", further)
    monkeypatch.setattr(measure, "_training_pays", lambda nav: True)
    every = {(origin, wish) for origin in (BROUGHT, FURTHER) for wish in ("a", "b", "c", "a & b")}
    done = {key("small", 1, BROUGHT), *(key("small", 1, *of, 0.01) for of in every - {(FURTHER, "b")})}
    first, second, third = (rows[0] for rows in measured(case, 1, (0.01,), done))
    assert asked == [False, True]
    assert (first["origin"], first["method"]) == (FURTHER, "start")
    assert (second["origin"], second["wish"]) == (FURTHER, "b")
    assert (third["method"], third["status"]) == (GAIN, "pays")
    done |= {key("small", 1, FURTHER), key("small", 1, FURTHER, "b", 0.01), key("small", 1, BROUGHT, GAIN)}
    assert list(measured(case, 1, (0.01,), done)) == []


def test_a_library_that_fails_in_one_wish_goes_on_to_the_next(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise pn.NonFiniteError("a loss is not finite")

    monkeypatch.setattr(pn.Navigator, "step", fails)
    done = {key("small", 1, BROUGHT), key("small", 1, BROUGHT, GAIN)}
    rows = [rows[0] for rows in measured(case, 1, (0.05,), done)]
    assert [row["wish"] for row in rows] == ["a", "b", "c", "a & b"]
    assert {row["status"] for row in rows} == {"failed"}
    assert rows[0]["reason"] == "NonFiniteError: a loss is not finite"


def test_a_case_that_fails_is_a_row_until_it_works(
    case: Case, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(seed: int) -> Case:
        raise ValueError(f"no data for seed {seed}")

    store = Store(tmp_path / "zoo.csv")
    monkeypatch.setattr(command, "KINDS", {"small": fails})
    command.run(store, "small", 1, (0.02,))
    command.run(store, "small", 1, (0.02,))
    assert store.load()["reason"].tolist() == ["ValueError: no data for seed 1"]
    assert "no data for seed 1" in capsys.readouterr().err
    monkeypatch.setattr(command, "KINDS", {"small": lambda seed: case})
    monkeypatch.setattr(
        command, "measured", lambda *_: iter([[{"case": "small", "seed": 1, "method": "start"}]])
    )
    command.run(store, "small", 1, (0.02,))
    assert store.load()["method"].tolist() == ["start"]


def test_every_wish_begins_at_the_first_point(case: Case) -> None:
    start = Start.of(case, 0)
    start.nav.step(wishes(case.names)[0].preference, 0.05)
    model = start.back()
    assert all(torch.equal(start.state[name], value) for name, value in model.state_dict().items())
    assert torch.equal(start.nav.problem.parameters(), start.nav.here.parameters)
    assert start.nav.here.id == 0


def test_a_pair_is_asked_for_where_another_is_left_to_pay() -> None:
    assert [str(wish) for wish in wishes(("a", "b"))] == ["a", "b"]
    assert [str(wish) for wish in wishes(("a", "b", "c"))] == ["a", "b", "c", "a & b"]
    assert AMOUNTS == (0.01, 0.02, 0.05, 0.1, 0.2)


def test_a_wish_asks_for_the_same_part_of_each_loss(case: Case) -> None:
    start = Start.of(case, 1)
    pair = wishes(case.names)[-1]
    sizes = start.before["train"].values
    requested = start.nav.preview(replace(pair.preference, on="train"), 0.001).requested.shown
    parts = [requested[name] / size for name, size in zip("ab", sizes, strict=False)]
    assert parts == pytest.approx([-0.001, -0.001], rel=1e-3)


def test_fine_tuning_leaves_the_model_alone_and_looks_as_often_as_asked(case: Case) -> None:
    before = copy.deepcopy(case.model.state_dict())
    seen = []
    for model in trained_on(case, case.model, control(case), 0.01, looks=4):
        assert not model.training
        seen.append(model[0].weight.detach().clone())  # type: ignore[index, union-attr, operator]
    assert len(seen) == 4
    assert all(torch.equal(before[name], value) for name, value in case.model.state_dict().items())


def test_fine_tuning_makes_one_step_at_least(case: Case) -> None:
    (model,) = trained_on(case, case.model, Tuning("x", dict(case.weights), 0.1), 0.0)
    assert not torch.equal(next(model.parameters()), next(case.model.parameters()))


def test_weightings(case: Case) -> None:
    ways = {way.name: way for way in tunings(case, ("a",), {"a": 0.5, "b": 0.25, "c": 0.25})}
    assert list(ways) == [
        f"{way}, {rate}" for way in ("named x 3", "named x 10", "planned") for rate in ("rate", "rate / 10")
    ]
    assert ways["named x 10, rate"].weights == {"a": 10.0, "b": 1.0, "c": 2.0}
    assert ways["planned, rate / 10"].weights == {"a": 2.0, "b": 1.0, "c": 1.0}
    assert ways["planned, rate / 10"].rate == pytest.approx(0.1 * case.rate)
    assert len(tunings(case, ("a",), None)) == 4
    assert control(case).weights == case.weights


def test_what_fine_tuning_reaches(case: Case) -> None:
    torch.manual_seed(1)
    untrained = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 3))
    found = reach(case, untrained, ("a", "c"), 0.02, 0.05)
    assert found.reached
    assert found.nearest <= -0.02
    assert not reach(case, case.model, ("a", "b", "c"), 0.5, 0.002).reached


def test_an_epoch_takes_time_and_changes_nothing(case: Case) -> None:
    before = copy.deepcopy(case.model.state_dict())
    assert epoch_seconds(case, case.model, repeats=1) > 0
    assert all(torch.equal(before[name], value) for name, value in case.model.state_dict().items())


def test_what_is_brought_in_the_place_of_a_pooled_loss(case: Case) -> None:
    other = replace(case, brought={"b": lambda outputs, batch: 1e-9 * outputs.square().mean() + 7})
    problem = problem_of(other, copy.deepcopy(case.model))
    mean = problem.evaluate(problem.parameters()).mean
    assert float(mean[1]) == pytest.approx(7)


def test_bundles_share_no_scan() -> None:
    chosen, bundle = in_bundles(50, 3, 6, 4, torch.Generator().manual_seed(0))
    assert chosen.shape == (8 * 4, 3)
    homes = [set(chosen[bundle == i].flatten().tolist()) for i in range(8)]
    assert sum(map(len, homes)) == len(set.union(*homes))
    assert all(len(set(row)) == 3 for row in chosen.tolist())


def test_splits_of_scans_are_disjoint_and_composites_keep_their_labels() -> None:
    scans = digits(0)
    assert sum(len(labels) for _, labels in scans.values()) == 1797
    x, y = scans["test"]
    pixels, left, right = overlaid(x, y, (8, 16), [(0, 0), (0, 8)], torch.tensor([[3, 5], [7, 1]])).tensors
    assert torch.equal(pixels[0, 0], torch.cat([x[3], x[5]], 1))
    assert (left.tolist(), right.tolist()) == (y[[3, 7]].tolist(), y[[5, 1]].tolist())


def test_no_text_is_in_two_splits() -> None:
    made = windows(0, {"train": 200, "validation": 60, "test": 60})
    sources = [set(source.tolist()) for _, source in made.values()]
    assert sum(map(len, sources)) == len(set.union(*sources))
    for data, source in made.values():
        assert len(data) == len(source)
        assert data.tensors[1].float().mean() == 0.5
        assert ((data.tensors[0] >= 0) & (data.tensors[0] < 128)).all()


def test_attacks_are_functions_that_stay_close() -> None:
    torch.manual_seed(0)
    model, x, labels = adversarial.Net(), torch.rand(5, 1, 8, 8), torch.arange(5)
    first, second = (adversarial.attacked(model, x, labels, 5, 0.04) for _ in range(2))
    assert torch.equal(first, second)
    assert not first.requires_grad
    assert 0 < float((first - x).abs().max()) <= 0.1 + 1e-6
    assert all(p.grad is None for p in model.parameters())


def test_a_kind_gives_the_same_model_for_the_same_seed() -> None:
    first, second, other = (recommender.make(seed) for seed in (0, 0, 1))
    state = first.model.state_dict()
    assert all(torch.equal(state[name], value) for name, value in second.model.state_dict().items())
    assert not torch.equal(state["bias.weight"], other.model.state_dict()["bias.weight"])
    assert first.name == "recommender"
    assert KINDS[first.name] is recommender.make
    for split in NOT_TRAINED_ON:
        assert len(first.groups[split]) == len(first.data(split))
