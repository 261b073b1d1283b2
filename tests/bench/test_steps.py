"""Every method side by side: on a small problem, and what is made of rows whose figures are known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import paretonav as pn
from measures import efficiency
from paretonav.objectives import Cost
from paretonav.steering import Outcome
from paretonav.steering.stepping.correctors import Newton
from paretonav.steering.stepping.method import Method
from paretonav.steering.stepping.predictors import PublishedProjection
from side_by_side import figures
from side_by_side import methods as methods_
from side_by_side.methods import METHODS, ppe
from side_by_side.problems import RECIPES, Recipe, Start
from side_by_side.rows import COLUMNS, load, save
from side_by_side.run import rows
from side_by_side.summary import cost_per_percent, cost_per_step, step_alone, summarise
from side_by_side.targets import report, targets
from side_by_side.wishes import Task, task, wishes


class HalfSquare:
    def __init__(self, which: int) -> None:
        self.which = which

    def __call__(self, outputs: Tensor, batch: tuple[Tensor, Tensor]) -> Tensor:
        return 0.5 * (outputs[:, 0] - batch[1][:, self.which]).square().mean()


def start(weight_decay: float = 0.0) -> Start:
    """Three linear regressions with one vector of weights."""
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(0)
    truth = torch.randn(6, 3, generator=generator)
    parts = []
    for _ in range(3):
        x = torch.randn(400, 6, generator=generator)
        parts.append(TensorDataset(x, x @ truth + 0.1 * torch.randn(400, 3, generator=generator)))
    problem = pn.ModelProblem(
        nn.Linear(6, 1, bias=False),
        {name: HalfSquare(i) for i, name in enumerate("abc")},
        *parts[:2],
        test=parts[2],
        forward=lambda model, batch: model(batch[0]),
        batch_size=50,
        weight_decay=weight_decay,
    )
    return Start.trained(problem, Recipe(lambda **_: problem, epochs=3, batch_size=50))


@pytest.fixture(scope="module")
def small() -> Start:
    return start()


@pytest.fixture(scope="module")
def found(small: Start) -> pd.DataFrame:
    first, _, last = wishes(small.problem.names)
    made = [*rows(small, [first]), *rows(small, [last], ("control",))]
    return pd.DataFrame([{"problem": "small", "seed": 0, **row} for row in made])


def vector(text: str) -> np.ndarray:
    return np.array([float(word) for word in text.split()])


def test_all_methods_go_all_the_way(found: pd.DataFrame) -> None:
    assert list(found["method"].unique()) == list(METHODS)
    assert found["wish"].unique().tolist() == ["a 1", "a 1, hold b"]
    assert set(found.columns) <= set(COLUMNS)
    for _, row in found.iterrows():
        asked = np.array([word != "free" for word in row["requested"].split()])
        requested = vector(row["requested"].replace("free", "nan"))[asked]
        for split in ("train", "test"):
            change = vector(row[split])
            off = np.linalg.norm(requested - change[asked]) / np.linalg.norm(requested)
            assert row[f"miss {split}"] == pytest.approx(off, rel=1e-3, abs=1e-5)
    first = found.iloc[0]
    weights = vector(first["weights"])
    change = vector(first["train"])
    assert first["efficiency train"] == pytest.approx(
        -weights[0] * change[0] / (weights[1:] @ change[1:]), rel=1e-3
    )


def test_the_default_is_as_asked_and_sets_the_time(found: pd.DataFrame) -> None:
    default = found[found["method"] == "default"].set_index("wish")
    assert (default["status"] == "accepted").all()
    assert (default["miss train"] < 0.02).all()
    assert (default["error train"] < 0.02).all()
    tuned = found[found["method"].isin(methods_.TUNED)]
    assert (tuned["seconds"] >= default.loc[tuned["wish"], "seconds"].to_numpy()).all()


def test_only_the_methods_asked_for(small: Start) -> None:
    asked = wishes(small.problem.names)[:2]
    made = [row["method"] for row in rows(small, asked, ("from-scratch",))]
    assert made == ["default", "from-scratch", "default"]


def test_what_is_infeasible_is_cut_to_a_part_of_the_reach(small: Start) -> None:
    wish = wishes(small.problem.names, amount=0.5)[2]
    with pytest.raises(pn.InfeasiblePreferenceError) as refused:
        small.nav.preview(wish.preference, 5.0)
    made = task(small, replace(wish, amount=5.0))
    assert isinstance(made, Task)
    assert made.wish.amount == pytest.approx(0.8 * refused.value.reach)
    assert "infeasible at 5" in made.wish.note


def test_wishes() -> None:
    assert [str(wish) for wish in wishes(("a", "b", "c"))] == ["a 1", "a 0.7, b 0.3", "a 1, hold b"]
    assert [(str(wish), wish.amount) for wish in wishes(("a", "b"))] == [
        ("a 1", 0.05),
        ("b 1", 0.05),
        ("a 1", 0.025),
    ]


@pytest.mark.parametrize(("rejections", "retries"), [(0, 0), (1, 1), (2, 2), (3, 3)])
def test_rejected_steps_are_retried_with_half_the_length(small: Start, rejections: int, retries: int) -> None:
    lengths: list[float] = []
    there = SimpleNamespace(parameters=torch.ones(6))

    class Published:
        method = Method(PublishedProjection(), Newton())

        def go_to(self, _: int) -> None: ...

        def step(self, *_: Any) -> SimpleNamespace:
            lengths.append(self.method.predictor.step)
            rejected = len(lengths) <= rejections
            status = pn.StepStatus.REJECTED if rejected else pn.StepStatus.ACCEPTED
            return SimpleNamespace(
                status=status,
                point=there,
                cost=Cost(seconds=1.0),
                predicted=Outcome({"a": 1.0}, {"a": 1.0}, {}, "validation"),
            )

    asked = task(small, wishes(small.problem.names)[0])
    assert isinstance(asked, Task)
    fake = replace(small)
    fake.__dict__["published"] = Published()
    outcome = ppe(replace(asked, start=fake))
    assert outcome.retries == retries
    assert outcome.cost.seconds == len(lengths) == min(rejections, 2) + 1
    assert lengths == [0.01 / 2**i for i in range(len(lengths))]
    assert (outcome.theta is there.parameters) == (rejections < 3)
    assert Published.method.predictor.step == 0.01


def test_recipes_are_those_of_the_problems() -> None:
    recipe = RECIPES["digits"]
    problem: Any = recipe.make(seed=0, epochs=1)
    assert (recipe.batch_size, recipe.rate) == (problem._minibatch_size, problem._learning_rate)


def synthetic(problem: str = "digits", seeds: int = 3, **changes: dict[str, Any]) -> pd.DataFrame:
    """Rows in which the default meets all targets; ``changes`` are by method, with _ for -."""
    table = []
    for seed in range(seeds):
        for wish in ("a 1", "b 1"):
            for method in METHODS:
                row: dict[str, Any] = dict.fromkeys(COLUMNS, math.nan)
                row |= {"problem": problem, "seed": seed, "wish": wish, "method": method, "amount": 0.05}
                row |= {"status": "accepted", "retries asked": 0, "gain train": 1.0, "epochs": 10}
                row |= {"time / training": 0.6 if method == "ppe" else 0.04, "training seconds": 1.0}
                good = method in ("default", "default-short")
                for split in ("train", "validation", "test"):
                    row |= {f"error {split}": 0.02, f"miss {split}": 0.01 if good else 0.5}
                    row |= {f"efficiency {split}": 0.95 if good else 0.5, f"angle {split}": 0.0}
                    row |= {split: "+0 -0.1" if method == "ppe-corrector" else "-0.1 +0.1"}
                row |= {"requested": "-0.1 free", "weights": "+0.5 +0.5", "decay": 0.0}
                row |= {"torch": "2", "threads": 1, "losses": "+1 +1", "parameters": 3}
                table.append(row | changes.get(method.replace("-", "_"), {}))
    return pd.DataFrame(table, columns=list(COLUMNS))


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    return {str(row["target"]): str(row["verdict"]) for row in targets(table)}


def test_targets_that_are_met() -> None:
    found = verdicts(synthetic())
    assert set(found.values()) == {"met"}
    assert f"{len(found)} of {len(found)} are met" in report(synthetic())


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"default": {"error validation": 0.06}}, {"error on validation data at most 5 %"}),
        ({"default": {"time / training": 0.059}}, {"time at most 5 % of training"}),
        ({"ppe": {"time / training": 0.39}}, {"10 times cheaper per step taken than ppe"}),
        ({"default": {"retries asked": 1}}, {"no retries asked"}),
        ({"default": {"efficiency test": 0.8}}, {"efficiency at least 0.9, test"}),
        (
            {"ppe": {"efficiency train": math.inf}},
            {"efficiency at least ppe's, train", "the same over the length of ppe's step, train"},
        ),
        ({"control": {"miss test": 0.005}}, {"miss below that of control, test"}),
        ({"guessed_weights": {"miss train": 0.01}}, {"miss below that of guessed-weights, train"}),
    ],
)
def test_targets_that_are_missed(changes: dict[str, dict[str, Any]], missed: set[str]) -> None:
    found = verdicts(synthetic(**changes))
    assert {target for target, verdict in found.items() if verdict == "not met"} >= missed
    # Nothing else is missed, but where a slower step costs its lead, too.
    assert {target for target, verdict in found.items() if verdict == "not met"} - missed <= {
        "10 times cheaper per step taken than ppe"
    }


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0, 0.2), min_size=6, max_size=6))
def test_the_median_decides(errors: list[float]) -> None:
    table = synthetic()
    table.loc[table["method"] == "default", "error validation"] = errors
    met = verdicts(table)["error on validation data at most 5 %"] == "met"
    assert met == (sum(sorted(errors)[2:4]) / 2 <= 0.05)


def test_what_was_not_run_is_not_judged() -> None:
    table = synthetic()
    found = verdicts(table[table["method"].isin(["default", "control"])])
    assert found["10 times cheaper per step taken than ppe"] == "not measured"
    assert found["miss below that of guessed-weights, test"] == "not measured"
    assert found["miss below that of control, test"] == "met"
    assert targets(synthetic("census")) == []


def test_a_step_alone_is_less_than_its_corrector() -> None:
    table = synthetic(ppe={"train": "-0.3 +0.1", "amount": 0.05}, ppe_corrector={"train": "-0.1 -0.1"})
    # .2 gained, .2 paid: the corrector alone gains the rest of .3 over .1
    assert step_alone(table, "train")["efficiency train"].tolist() == pytest.approx([1.0] * 6)
    name = "the same against ppe's less what its corrector gains alone, train"
    assert verdicts(table)[name] == "not met"  # .5 of what is as long
    table.loc[table["method"] == "default-short", "efficiency train"] = 1.01
    assert verdicts(table)[name] == "met"
    back = synthetic(ppe={"status": "rejected", "train": "+0 +0"}, ppe_corrector={"train": "-0.1 +0.1"})
    assert step_alone(back, "train").empty
    without = table[table["method"] != "ppe-corrector"]
    assert step_alone(without, "train").empty
    assert verdicts(without)[name] == "not measured"


def test_what_the_decay_pays_is_no_gain() -> None:
    """Losses that fall by what the parameters grow have been exchanged for nothing along the front."""
    table = synthetic(
        ppe={"train": "-0.3 +0.1", "decay": 0.2}, ppe_corrector={"train": "-0.1 -0.1", "decay": 0.1}
    )
    # Of all objectives .1 is taken off the gain and put on the payment.
    assert step_alone(table, "train")["efficiency train"].tolist() == pytest.approx([0.1 / 0.3] * 6)


def test_decay_counts_in_the_exchange() -> None:
    decaying = start(weight_decay=0.1)
    (first,) = wishes(decaying.problem.names)[:1]
    for row in rows(decaying, [first], ("control",)):
        weights = vector(str(row["weights"]))
        change = vector(str(row["train"])) + float(str(row["decay"]))
        assert row["decay"] != 0
        assert row["efficiency train"] == pytest.approx(efficiency(change, weights, [0]), rel=1e-3)


def test_the_decay_is_that_of_the_objectives() -> None:
    decaying = start(weight_decay=0.1)
    theta = torch.randn(6, generator=torch.Generator().manual_seed(0))
    losses = torch.zeros(3, dtype=torch.float64)
    expected = decaying.problem.objectives(losses, theta)
    torch.testing.assert_close(torch.full_like(expected, decaying.decay(theta)), expected)


def test_the_published_corrector_alone_costs_its_epochs_and_takes_no_step(small: Start) -> None:
    asked = task(small, wishes(small.problem.names)[0])
    assert isinstance(asked, Task)
    alone = methods_.corrector(asked)
    published = ppe(asked)
    assert alone.cost.gradient_passes >= 15 * 3
    assert alone.cost.seconds > 0
    mean = small.problem.evaluate(alone.theta).mean
    assert float(mean.mean()) <= float(small.before["train"].mean.mean())
    assert float((alone.theta - small.point.parameters).norm()) < float(
        (published.theta - small.point.parameters).norm()
    )


def test_steps_taken_back_are_paid_for() -> None:
    times = {"time / training": [0.3, 0.1], "amount": [0.05, 0.05], "gain train": [0.5, 0.0]}
    seed = pd.DataFrame({"status": ["accepted", "rejected"], **times})
    assert cost_per_step(seed) == pytest.approx(0.4)
    assert cost_per_percent(seed) == pytest.approx(0.4 / 2.5)
    assert cost_per_step(seed[1:]) == cost_per_percent(seed[1:]) == math.inf


def test_a_problem_takes_the_place_of_its_earlier_rows(tmp_path: Path) -> None:
    path = tmp_path / "new" / "steps.csv"
    save(path, "digits", [{"seed": 0, "miss train": 0.5}, {"seed": 1, "miss train": math.inf}])
    save(path, "adult", [{"seed": 0, "method": "ppe"}])
    save(path, "adult", [{"seed": 0, "method": "ppe"}, {"seed": 1, "method": "control"}])
    save(path, "digits", [{"seed": 2, "miss train": 0.25}])
    found = load(path)
    assert found["problem"].tolist() == ["adult", "adult", "digits"]
    assert found["seed"].tolist() == [0, 1, 2]
    assert found["miss train"].tolist()[2] == 0.25
    assert list(found.columns) == list(COLUMNS)
    assert [file.name for file in path.parent.iterdir()] == ["steps.csv"]


def test_tables_show_medians_of_what_was_saved(tmp_path: Path, found: pd.DataFrame) -> None:
    path = tmp_path / "steps.csv"
    save(path, "small", found.to_dict("records"))
    table = synthetic()
    table.loc[(table["method"] == "default"), "miss test"] = [0.1, 0.1, 0.2, 0.2, 0.4, 0.4]
    save(path, "digits", table.to_dict("records"))
    text = summarise(load(path))
    assert "0.2 (0.1 to 0.4)" in next(
        line for line in text.splitlines() if line.startswith("| default | 6 of 6 |")
    )
    assert text.count("\n| MGDA |") == 2


@pytest.mark.slow
def test_pictures(tmp_path: Path) -> None:
    names = ("census", "fashion", "sentences", "adult")
    table = pd.concat([synthetic(ppe={"status": "rejected"}), *(synthetic(name, seeds=1) for name in names)])
    for name, draw in (("fidelity", figures.fidelity), ("cost", figures.cost)):
        draw(table, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
