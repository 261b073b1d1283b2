"""On 600 made-up people, in a file like the real one."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.problems.parts import parts, sizes

import paretonav as pn
from paretonav.problems import adult, adult_people, sources
from paretonav.problems.trained import TrainedProblem

module = importlib.import_module("paretonav.problems.adult")
NAMES = [
    *("age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"),
    *("workclass_Private", "workclass_State-gov", "education_11th", "education_Bachelors"),
    *("native-country_Peru", "native-country_United-States", "sex_Female", "sex_Male"),
    *("salary_<=50K", "salary_>50K"),
]


def people(count: int = 600) -> np.ndarray[Any, Any]:
    """Women have less schooling here, so that who earns much depends on the sex through what the model sees."""
    random = np.random.default_rng(0)
    female = random.random(count) < 0.4
    school = np.clip(random.normal(11 - 3 * female, 2, count).round(), 1, 16)
    rich = random.random(count) < 1 / (1 + np.exp(10 - school))
    private, bachelor = random.random(count) < 0.7, school > 12
    peru = np.arange(count) == 5
    columns = [
        random.integers(17, 90, count),
        random.integers(10_000, 900_000, count),
        school,
        (random.random(count) < 0.1) * random.integers(1, 99_999, count),
        np.zeros(count),
        random.integers(1, 99, count),
    ]
    for kind in (private, ~private, ~bachelor, bachelor, peru, ~peru, female, ~female, ~rich, rich):
        columns.append(kind)
    return np.stack(columns, axis=1).astype(int)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "\n".join(",".join(map(str, row)) for row in people())
    sources.write(tmp_path / "adult/adult.csv.gz", f"{','.join(NAMES)}\n{rows}\n".encode())
    return tmp_path


@pytest.mark.slow
def test_everybody_is_in_one_split_with_their_answer_and_sex(folder: Path) -> None:
    problem = adult(folder=folder, with_sex=True)
    assert sizes(problem) == {"train": 360, "validation": 120, "test": 120}
    x, y, sex = (torch.cat(entries) for entries in zip(*parts(problem).values(), strict=True))
    table = people()
    # Age, schooling, gains, losses, hours, two kinds of work, the one country that is not rare, and the sex.
    assert x.shape == (600, 9)
    assert torch.equal(x[:, -1].long(), sex)
    train = x[:360, :5]
    scale = torch.tensor([1.0, 1, 1, 0, 1])  # nobody loses capital
    torch.testing.assert_close(train.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(train.std(0, correction=0), scale, atol=1e-4, rtol=0)
    # The scaled ages are the ages of the same people: those of each sex and answer.
    ages = torch.from_numpy(table[:, 0]).double()
    scale = (ages.max() - ages.min()) / (x[:, 0].max() - x[:, 0].min())
    unscaled = (x[:, 0] - x[:, 0].min()) * scale + ages.min()
    for s, answer in ((0, 0), (0, 1), (1, 0), (1, 1)):
        there = ages[torch.from_numpy((table[:, 12] == s) & (table[:, 15] == answer))]
        here = unscaled[(sex == s) & (y == answer)]
        torch.testing.assert_close(here.double().sort().values, there.sort().values, atol=1e-3, rtol=0)


def test_the_sex_is_an_input_only_if_asked_for(folder: Path) -> None:
    assert adult(folder=folder).model.layers[0].in_features == 8
    assert adult(folder=folder, with_sex=True).model.layers[0].in_features == 9


def test_objectives_and_metrics_are_those_of_the_definition(folder: Path) -> None:
    problem = adult(folder=folder)
    assert isinstance(problem, TrainedProblem)
    assert problem.names == ("cross-entropy", "demographic parity", "equal opportunity")
    losses = problem.evaluate(problem.parameters() * 3, "test")
    x, y, sex = parts(problem)["test"]
    problem.set_parameters(problem.parameters() * 3)
    with torch.no_grad():
        p = problem.model(x).sigmoid().double().numpy()
    female, rich = sex.numpy() == 1, y.numpy() == 1

    def gaps(score: Any) -> list[float]:
        return [
            abs(score[female & among].mean() - score[~female & among].mean())
            for among in (rich | ~rich, rich)
        ]

    parity, opportunity = gaps(p)  # shown as they are; steered by what is rounded at zero
    cross_entropy = -np.where(rich, np.log(p), np.log(1 - p)).mean()
    np.testing.assert_allclose(losses.mean, [cross_entropy, parity, opportunity], rtol=1e-4, atol=1e-7)
    expected = [((p > 0.5) == rich).mean(), *gaps(1.0 * (p > 0.5))]
    assert list(losses.metrics) == ["accuracy", "parity gap", "opportunity gap"]
    np.testing.assert_allclose(list(losses.metrics.values()), expected, rtol=1e-5, atol=1e-7)
    assert problem.higher_is_better == {"accuracy": True, "parity gap": False, "opportunity gap": False}


def test_two_objectives_can_be_chosen_and_steps_come_true(folder: Path) -> None:
    problem = adult(
        objectives=["demographic parity", "cross-entropy"],
        folder=folder,
        hidden=8,
        epochs=100,
        weight_decay=1e-2,
    )
    nav = pn.Navigator(problem)
    point = nav.start()
    assert problem.names == ("demographic parity", "cross-entropy")
    assert point.joint_gain < 0.02 * float(point.measured.train.mean.mean())
    step = nav.step(pn.Improve({"cross-entropy": 1.0}), amount=0.02)
    for name in problem.names:
        assert step.achieved.train[name] == pytest.approx(step.predicted.train[name], rel=0.15)
    assert step.achieved.train["demographic parity"] > 0 > step.achieved.train["cross-entropy"]


def test_seeds_are_reproducible(folder: Path) -> None:
    state = torch.get_rng_state()
    first, again, other = (adult(folder=folder, epochs=1, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.train(), again.train())
    assert not torch.equal(first.parameters(), other.train())
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"objectives": ["cross-entropy"]}, "objectives=.*two or more different ones"),
        ({"objectives": ["cross-entropy", "accuracy"]}, "objectives=.*is not possible"),
        ({"hidden": 0}, "hidden = 0 is not possible"),
        ({"epochs": 0}, "epochs = 0 is not possible"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(pn.ProblemError, match=message):
        adult(folder=tmp_path, **arguments)


def test_without_a_local_copy_or_the_network_the_error_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(sources, "openml", unreachable)
    with pytest.raises(pn.ProblemError, match=r"no route to host; put the files there.*bench/fetch_data\.py"):
        adult(folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no column 'age'"),
        (",".join(NAMES), "has no rows"),
        (",".join(NAMES) + "\n" + ",".join("x" * 16), "is not a table of numbers"),
        (",".join(NAMES) + "\n1,2,3", "has 16 names for 3 columns"),
    ],
)
def test_a_damaged_file_is_named(content: str, message: str, tmp_path: Path) -> None:
    sources.write(tmp_path / "adult/adult.csv", content.encode())
    with pytest.raises(pn.ProblemError, match=rf"adult\.csv: {message}"):
        adult(folder=tmp_path)


def test_what_openml_has_becomes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers stay, categories become columns, and who is not known completely is left out."""
    values = np.tile([37.0, 1, 10, 0, 1], (48_842, 1))
    values[45_222:, 1] = np.nan
    values[0] = [20, 0, 3, 1, 0]
    table = sources.Table(
        values,
        {"workclass": ["Private", "State-gov"], "sex": ["Female", "Male"], "class": ["<=50K", ">50K"]},
        ["age", "workclass", "education-num", "sex", "class"],
    )
    monkeypatch.setattr(sources, "openml", lambda *_: table)
    adult_people.download(tmp_path)
    lines = sources.read_lines(tmp_path / "adult/adult.csv.gz")
    assert lines[0] == (
        "age,workclass_Private,workclass_State-gov,education-num,sex_Female,sex_Male,salary_<=50K,salary_>50K"
    )
    assert lines[1:3] == ["20,1,0,3,0,1,1,0", "37,0,1,10,1,0,0,1"]
    assert len(lines) == 45_223
