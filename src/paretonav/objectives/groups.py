"""Which examples belong together: overlays of the same scans, windows of one series, sentences of one text."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any

from paretonav.errors import ProblemError

Labels = Iterable[Any] | Mapping[str, Iterable[Any]]
"""One per validation example, or by split: a list, a tensor or an array. Examples with equal labels are a group."""


def labels_by_split(given: Labels | None, splits: Collection[str]) -> dict[str, list[Hashable]]:
    """The labels of the groups in each split, one per example, that were given as ``groups=``.

    Args:
        given: those of the validation data, or split -> labels.
        splits: of which there are data.

    Raises:
        ProblemError: a split has no data, or the labels are not one for each example.
    """
    if given is None:
        return {}
    by_split = given if isinstance(given, Mapping) else {"validation": given}
    for split in by_split:
        if split not in splits:
            meant = (
                ""
                if isinstance(given, Mapping)
                else " (groups= without a split are those of validation data)"
            )
            raise ProblemError(
                f"groups= are given for {split!r} data{meant}, but there are only {', '.join(splits)} data; give these "
                "data, or groups={'train': ...} for others"
            )
    return {split: _labels(split, labels) for split, labels in by_split.items()}


def require_one_per_example(labels: Sequence[Hashable], examples: int, split: str) -> None:
    """Raise ``ProblemError`` unless there are as many labels as examples in the ``split``."""
    if len(labels) != examples:
        raise ProblemError(
            f"groups= has {len(labels)} labels for the {examples} examples of the {split} data; give one for each, in "
            "the order of a full pass (that of the dataset, and all of it, also if a loader shuffles or drops some)"
        )


def _labels(split: str, given: Iterable[Any]) -> list[Hashable]:
    dimensions = getattr(given, "ndim", 1)
    if isinstance(given, str | bytes) or not isinstance(given, Iterable) or dimensions != 1:
        what = f"has {dimensions} dimensions" if dimensions != 1 else f"is a {type(given).__name__}"
        raise _no_vector(split, what)
    labels = [_label(split, i, label) for i, label in enumerate(_plain(given))]
    for i, label in enumerate(labels):
        if label is None or label != label:
            raise ProblemError(
                f"groups= of the {split} data has {label} for example {i}; give it the label of its group, or one of "
                "its own if it stands alone"
            )
    return labels


def _label(split: str, i: int, given: Any) -> Hashable:
    """A label that is equal to others by its value: a scalar tensor is not."""
    label = _plain(given)
    if getattr(given, "ndim", 0) > 0 or not isinstance(label, Hashable):
        raise _no_vector(split, f"has a {type(given).__name__} for example {i}")
    return label


def _plain(given: Any) -> Any:
    """Lists and numbers instead of tensors and arrays."""
    return given.tolist() if callable(getattr(given, "tolist", None)) else given


def _no_vector(split: str, what: str) -> ProblemError:
    return ProblemError(
        f"groups= of the {split} data {what}; give a list or vector with one label (a number or string) per example"
    )
