"""The people of the KDD Census-Income data: reading rows, making inputs and answers of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import TensorDataset

from paretonav.errors import ProblemError
from paretonav.problems import sources

FILES = ("census-income/census-income.data", "census-income/census-income.test")
SOURCE = "OpenML 4535 by scikit-learn's fetch_openml"
_ROWS, _RICH = (199_523, 99_762), (12_382, 6_186)  # of each file: rows, and those with an income above 50,000

COLUMNS = (
    "age",
    "class of worker",
    "detailed industry",
    "detailed occupation",
    "education",
    "wage per hour",
    "enrolled last week",
    "marital status",
    "major industry",
    "major occupation",
    "race",
    "hispanic origin",
    "sex",
    "member of a labor union",
    "reason for unemployment",
    "full or part time",
    "capital gains",
    "capital losses",
    "dividends",
    "tax filer status",
    "region of previous residence",
    "state of previous residence",
    "detailed household and family status",
    "household summary",
    "instance weight",
    "migration within metropolitan areas",
    "migration within regions",
    "moved within region",
    "lived here a year ago",
    "previous residence in sunbelt",
    "persons worked for employer",
    "family members under 18",
    "father's country of birth",
    "mother's country of birth",
    "country of birth",
    "citizenship",
    "own business or self employed",
    "veterans questionnaire",
    "veterans benefits",
    "weeks worked in year",
    "year",
    "income",
)
_AMOUNTS = ("wage per hour", "capital gains", "capital losses", "dividends")
_COUNTS = ("persons worked for employer", "weeks worked in year")
_LEFT_OUT = (
    "instance weight",  # says how many people a row stands for, nothing about this one
    "detailed industry",  # finer codes of the major ones
    "detailed occupation",
    "detailed household and family status",  # says "never married" in so many words
    "household summary",
)
_COLLEGE = (
    "Some college but no degree",
    "Associates degree-occup /vocational",
    "Associates degree-academic program",
    "Bachelors degree(BA AB BS)",
    "Masters degree(MA MS MEng MEd MSW MBA)",
    "Prof school degree (MD DDS DVM LLB JD)",
    "Doctorate degree(PhD EdD)",
)
_QUESTIONS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "age": ("age", lambda value: float(value) >= 40),
    "education": ("education", lambda value: value in _COLLEGE),
    "marital": ("marital status", lambda value: value == "Never married"),
    "race": ("race", lambda value: value == "White"),
    "sex": ("sex", lambda value: value == "Female"),
}
TASKS = tuple(_QUESTIONS)


class People:
    """Some rows of a file, as columns of text.

    Args:
        rows: [people][columns].
        path: where they are from, for messages.
    """

    def __init__(self, rows: list[list[str]], path: Path) -> None:
        self._columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
        self._path = path

    def text(self, column: str) -> Sequence[str]:
        """The column as it is in the file."""
        return self._columns[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The column as numbers.

        Raises:
            ProblemError: something in it is none.
        """
        try:
            return np.array(self._columns[column], dtype=np.float64)
        except ValueError as error:
            raise sources.damaged(self._path, f"{column} must be numbers ({error})") from error


class Encoder:
    """Makes inputs and answers of people, with the statistics of the training people.

    Args:
        train: the training people.
        tasks: whose columns are answers, not inputs.

    Attributes:
        scales: of each column of numbers its mean and its standard deviation among the training people.
        places: of each other column its frequent values, and the input that each of them has.
    """

    def __init__(self, train: People, tasks: Sequence[str]) -> None:
        self._tasks = tasks
        left_out = {*_LEFT_OUT, *(_QUESTIONS[task][0] for task in tasks), "income"}
        self.scales: dict[str, tuple[float, float]] = {}
        self.places: dict[str, dict[str, int]] = {}
        for column in COLUMNS:
            if column in left_out:
                continue
            if column in (*_AMOUNTS, *_COUNTS, "age"):
                values = _squeezed(train, column)
                self.scales[column] = float(values.mean()), float(values.std()) or 1.0
            else:
                text = train.text(column)
                frequent = sorted(v for v, n in Counter(text).items() if n >= 0.01 * len(text))
                self.places[column] = {value: i for i, value in enumerate(frequent)}

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return len(self.scales) + sum(map(len, self.places.values()))

    def __call__(self, people: People) -> TensorDataset:
        """Inputs [people, inputs] and answers [people, tasks], both float32."""
        count = len(people.text("year"))
        x = np.zeros((count, self.inputs), dtype=np.float32)
        for i, (column, (mean, deviation)) in enumerate(self.scales.items()):
            x[:, i] = (_squeezed(people, column) - mean) / deviation
        offset, persons = len(self.scales), np.arange(count)
        for column, places in self.places.items():
            codes = np.array([places.get(value, -1) for value in people.text(column)])
            known = codes >= 0
            x[persons[known], offset + codes[known]] = 1
            offset += len(places)
        y = np.stack([self._answers(people, task) for task in self._tasks], axis=1)
        return TensorDataset(torch.from_numpy(x), torch.from_numpy(y))

    @staticmethod
    def _answers(people: People, task: str) -> NDArray[np.float32]:
        column, question = _QUESTIONS[task]
        if column == "age":
            people.numbers(column)  # for its message
        return np.array([question(value) for value in people.text(column)], dtype=np.float32)


def _squeezed(people: People, column: str) -> NDArray[np.float64]:
    values = people.numbers(column)
    return np.log1p(values) if column in _AMOUNTS else values


def choose(path: Path, counts: Sequence[int | None], generator: torch.Generator) -> list[People]:
    """Disjoint random choices of people; the one count that is None takes what the others leave.

    Raises:
        ProblemError: the file is damaged, or has fewer rows.
    """
    lines = sources.read_lines(path)
    asked = sum(count or 1 for count in counts)
    if asked > len(lines):
        raise ProblemError(f"{path} has {len(lines)} rows, but {asked} are asked for; give smaller sizes")
    sizes = [len(lines) - asked + 1 if count is None else count for count in counts]
    order = torch.randperm(len(lines), generator=generator).tolist()
    ends = np.cumsum([0, *sizes]).tolist()
    _fields(path, lines, len(lines) - 1)  # the one that a truncated file cuts
    return [
        People([_fields(path, lines, i) for i in order[begin:end]], path) for begin, end in pairwise(ends)
    ]


def _fields(path: Path, lines: list[str], i: int) -> list[str]:
    fields = [field.strip() for field in lines[i].split(",")]
    if len(fields) != len(COLUMNS):
        raise sources.damaged(path, f"row {i + 1} has {len(fields)} fields instead of {len(COLUMNS)}")
    return fields


def download(folder: Path) -> None:
    """Write both files from OpenML, which has the rows of the one after those of the other."""
    columns = sources.openml(4535, sum(_ROWS), len(COLUMNS)).text()
    rows = [", ".join(row) for row in zip(*columns, strict=True)]
    parts = rows[: _ROWS[0]], rows[_ROWS[0] :]
    if tuple(sum("50000+" in row for row in part) for part in parts) != _RICH:
        raise ProblemError("the rows are not in the order of the two files that were published")
    for name, part in zip(FILES, parts, strict=True):
        sources.write(folder / f"{name}.gz", "\n".join(part).encode())
