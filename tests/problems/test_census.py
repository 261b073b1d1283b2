import importlib
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.problems.parts import sizes

import paretonav as pn
from paretonav import ProblemError
from paretonav.problems import census, census_people, sources
from paretonav.problems.census_people import COLUMNS, Encoder, People, choose
from paretonav.problems.trained import TrainedProblem

module = importlib.import_module("paretonav.problems.census")
SMALL: dict[str, Any] = {"size": 200, "validation_size": 40, "epochs": 2}


def person(rng: random.Random, **known: object) -> list[str]:
    row = dict.fromkeys(COLUMNS, "Not in universe")
    row |= {
        column: str(rng.randrange(3) * 10) for column in (*census_people._AMOUNTS, *census_people._COUNTS)
    }
    row["instance weight"] = str(rng.random())
    row["age"] = str(rng.randrange(90))
    row["education"] = rng.choice(["High school graduate", "Bachelors degree(BA AB BS)"])
    row["marital status"] = rng.choice(["Never married", "Divorced"])
    row["race"], row["sex"] = rng.choice(["White", "Black"]), rng.choice(["Female", "Male"])
    row["tax filer status"] = rng.choice(["Single", "Nonfiler"])
    row["household summary"] = "Householder" if row["marital status"] == "Divorced" else "Child"
    row["income"] = rng.choice(["- 50000.", "50000+."])
    return [str({**row, **known}[column]) for column in COLUMNS]


def write(folder: Path, count: int = 400) -> None:
    rng = random.Random(0)
    for name in census_people.FILES:
        rows = [", ".join(person(rng)) for _ in range(count)]
        sources.write(folder / f"{name}.gz", ("\n".join(rows) + "\n").encode())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where: Path = tmp_path_factory.mktemp("data")
    write(where)
    return where


def encoded(rows: list[list[str]], tasks: tuple[str, ...]) -> tuple[Any, Any]:
    people = People(rows, Path("people.data"))
    return Encoder(people, tasks)(people).tensors


def test_the_answers() -> None:
    rng = random.Random(1)
    rows = [
        person(
            rng, **{"age": 40, "education": "Some college but no degree", "marital status": "Never married"}
        ),
        person(rng, **{"age": 39, "education": "High school graduate", "marital status": "Separated"}),
        person(rng, **{"age": 90, "education": "Doctorate degree(PhD EdD)", "marital status": "Widowed"}),
    ]
    for row, race, sex in zip(rows, ("White", "Black", "Other"), ("Female", "Male", "Female"), strict=True):
        row[COLUMNS.index("race")], row[COLUMNS.index("sex")] = race, sex
    _, answers = encoded(rows, census_people.TASKS)
    assert answers.tolist() == [[1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1]]


def test_no_input_gives_the_answers_away() -> None:
    """People who differ only in the columns of the tasks and in those left out have the same inputs."""
    rng, same = random.Random(2), random.Random(3)
    template = person(same)
    rows = []
    for _ in range(30):
        row, drawn = list(template), person(rng)
        for column in (
            "age",
            "education",
            "marital status",
            "household summary",
            "instance weight",
            "income",
        ):
            row[COLUMNS.index(column)] = drawn[COLUMNS.index(column)]
        rows.append(row)
    inputs, answers = encoded(rows, ("age", "education", "marital"))
    assert len(inputs.unique(dim=0)) == 1
    assert all(len(column.unique()) == 2 for column in answers.T)


def test_inputs_are_standardised_and_rare_categories_left_out() -> None:
    rng = random.Random(4)
    rows = [
        person(rng, dividends=k, **{"tax filer status": "Odd" if k == 0 else "Usual"}) for k in range(200)
    ]
    train, people = People(rows, Path("x")), People(rows[:1], Path("x"))
    encoder = Encoder(train, ("age", "education"))
    inputs, _ = encoder(train).tensors
    assert inputs.shape == (200, encoder.inputs)
    numbers = inputs[:, : len(encoder.scales)]
    np.testing.assert_allclose(numbers.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(numbers.std(0, correction=0), 1, atol=1e-5)
    expected = np.log1p(np.arange(200.0))
    place = list(encoder.scales).index("dividends")
    np.testing.assert_allclose(numbers[:, place], (expected - expected.mean()) / expected.std(), atol=1e-5)
    assert set(inputs[:, len(encoder.scales) :].unique().tolist()) == {0, 1}
    assert list(encoder.places["tax filer status"]) == ["Usual"]
    rare, usual = (
        int(encoder(p).tensors[0][0, len(encoder.scales) :].sum())
        for p in (people, People(rows[1:2], Path("x")))
    )
    assert usual == rare + 1


def test_no_person_is_in_two_parts(tmp_path: Path) -> None:
    rng = random.Random(5)
    path = tmp_path / "people"
    path.write_text("\n".join(", ".join(person(rng, **{"instance weight": k})) for k in range(50)))
    parts = choose(path, (None, 20), torch.Generator().manual_seed(0))
    train, validation = ([int(v) for v in part.text("instance weight")] for part in parts)
    assert len(validation) == 20
    assert sorted(train + validation) == list(range(50))


def test_names_sizes_and_widths(folder: Path) -> None:
    problem = census(folder=folder, **SMALL)
    assert isinstance(problem, TrainedProblem)
    assert problem.names == ("age", "education", "marital")
    assert sizes(problem) == {"train": 200, "validation": 40, "test": 40}
    assert problem.higher_is_better == {f"{name} accuracy": True for name in problem.names}
    everyone = census(folder=folder, **{**SMALL, "size": None})
    assert sizes(everyone) == {"train": 360, "validation": 40, "test": 400}
    wide = census(width="paper", folder=folder, **SMALL)
    assert [len(p) for p in wide.model.parameters()][:4:2] == [256, 128]
    two = census(tasks=["race", "sex"], folder=folder, **SMALL)
    assert two.names == ("race", "sex")


def test_seeds_are_reproducible_and_training_lowers_the_losses(folder: Path) -> None:
    state = torch.get_rng_state()
    first, again, other = (census(folder=folder, seed=seed, **SMALL) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    before = first.evaluate(first.parameters()).mean
    theta = first.train()
    assert torch.equal(theta, again.train())
    assert not torch.equal(first.parameters(), other.parameters())
    assert not first.needs_training
    assert float(first.evaluate(theta).mean.sum()) < float(before.sum())
    assert first.evaluate(theta, "test").mean.isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": "wide"}, "width='wide'"),
        ({"tasks": ["age"]}, "two or more"),
        ({"tasks": "age"}, "two or more"),
        ({"tasks": ["age", "age"]}, "different"),
        ({"tasks": ["age", "income"]}, "income"),
        ({"size": 0}, "size = 0"),
        ({"epochs": 0}, "epochs = 0"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"size": 390}, "400 rows, but 430 are asked for"),
    ],
)
def test_arguments_that_are_not_possible(folder: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        census(folder=folder, **{**SMALL, **arguments})


@pytest.mark.slow
def test_data_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(**_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch)
    with pytest.raises(ProblemError, match=r"census-income\.data .*OpenML 4535.* no network.*fetch_data"):
        census(folder=tmp_path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    write(tmp_path, 300)
    path = tmp_path / f"{census_people.FILES[0]}.gz"
    lines = sources.read_lines(path)
    sources.write(path, "\n".join([*lines[:-1], lines[-1][:50]]).encode())
    with pytest.raises(ProblemError, match=r"census-income\.data\.gz: row 300 has \d+ fields instead of 42"):
        census(folder=tmp_path, **SMALL)
    for column in ("age", "dividends"):
        rows = [line.split(", ") for line in lines]
        for row in rows:
            row[COLUMNS.index(column)] = "many"
        sources.write(path, "\n".join(map(", ".join, rows)).encode())
        with pytest.raises(ProblemError, match=rf"census-income\.data\.gz: {column} must be numbers"):
            census(folder=tmp_path, **SMALL)


def test_the_online_rows_become_the_two_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(6)
    rows = [person(rng) for _ in range(30)]
    rich = tuple(sum(row[-1] == "50000+." for row in part) for part in (rows[:20], rows[20:]))
    table = sources.Table(np.zeros((0, 0)), {}, [])
    monkeypatch.setattr(
        sources.Table, "text", lambda self: [list(column) for column in zip(*rows, strict=True)]
    )
    monkeypatch.setattr(sources, "openml", lambda *shape: table)
    monkeypatch.setattr(census_people, "_ROWS", (20, 10))
    monkeypatch.setattr(census_people, "_RICH", rich)
    problem = census(folder=tmp_path, size=15, validation_size=5, epochs=1)
    assert sizes(problem)["test"] == 5
    for name, part in zip(census_people.FILES, (rows[:20], rows[20:]), strict=True):
        path = sources.find(name, tmp_path)
        assert path is not None
        assert [line.split(", ") for line in sources.read_lines(path)] == part
    monkeypatch.setattr(census_people, "_RICH", (rich[0] + 1, rich[1]))
    with pytest.raises(ProblemError, match="not in the order"):
        census_people.download(tmp_path)


@pytest.mark.slow
def test_the_narrow_trunk_makes_the_tasks_compete() -> None:
    if any(sources.find(name) is None for name in census_people.FILES):
        pytest.skip("no local copy of Census-Income")
    nav = pn.Navigator(census())
    start = nav.start()
    assert start.joint_gain < 0.02 * float(start.measured.train.mean.mean())
    unit = torch.nn.functional.normalize(nav.tangent.jacobian, dim=1)
    assert (unit @ unit.T).min() < -0.1
    step = nav.step(pn.Improve({"age": 1.0}), 0.05)
    predicted, achieved = (np.array(list(d.values())) for d in (step.predicted.train, step.achieved.train))
    assert np.linalg.norm(predicted - achieved) < 0.1 * np.linalg.norm(predicted)
