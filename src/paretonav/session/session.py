"""The tree of visited points."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from torch import Tensor

from paretonav.display import Display, Shown
from paretonav.dominance import non_dominated
from paretonav.errors import ParetonavError, SessionError
from paretonav.objectives import Problem
from paretonav.session import fronts
from paretonav.session.archive import Archive, MemoryArchive, whole
from paretonav.session.card import Card
from paretonav.session.compare import Comparison
from paretonav.session.export import facts_of, write_state, write_text
from paretonav.session.folder import FolderArchive
from paretonav.session.layout import assembled, from_facts
from paretonav.session.listing import listing
from paretonav.session.naming import name_of, named, title_of
from paretonav.session.places import place
from paretonav.session.precision import Precision
from paretonav.session.record import Record
from paretonav.session.table import csv, preference_text, table
from paretonav.session.turns import one_at_a_time
from paretonav.steering import Point
from paretonav.text import in_quotes
from paretonav.undisturbed import undisturbed

if TYPE_CHECKING:
    from pandas import DataFrame


logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class Session(Shown):
    """Every point that was visited, how it was reached, and what was noted down about it.

    Points are never changed or removed: going back and taking another step makes a branch. ``Navigator(problem,
    session=PATH)`` creates a session on disk or resumes it. Without the problem, even without its code, a session can
    be looked at, compared and exported from: ``Session(PATH)``.

    Args:
        path: of the session's folder; None keeps it in memory.
        write: False opens an existing session for reading, also while another process writes to it.
        precision: how parameters are stored: "full", "half" (float16), or "delta", the difference from the first point
            in float16. Only from "full" does a resumed navigation go on bit for bit as if it had not been interrupted.
            None is "full" for a new session, and that of one that is there.
        tangent_room: bytes on disk for tangents, which take up to some tens of times as much as a point and spare the
            next step from there a solve; None is a gigabyte. The oldest go first. The current point's is kept in any
            case, but 0 keeps none.

    Raises:
        SessionError: the folder holds something else, is damaged, or cannot be read or written.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        write: bool = False,
        precision: Precision | None = None,
        tangent_room: int | None = None,
    ) -> None:
        self._turn = threading.RLock()
        self.path = None if path is None else place(path)
        self._folder = (
            None
            if self.path is None
            else FolderArchive(self.path, precision, write=write, tangent_room=tangent_room)
        )
        self._archive: Archive = self._folder or MemoryArchive()
        self._problem: Problem | None = None

    @property
    def writable(self) -> bool:
        """Whether this is where points are added: False for a reader, also of a session that another process has."""
        return self._archive.writable

    @property
    def owner(self) -> str:
        """Which other process writes to it, in words; empty if none does or nobody asked."""
        return "" if self._folder is None else self._folder.owner

    @property
    @one_at_a_time
    def records(self) -> tuple[Record, ...]:
        """Of all points, in the order of their ids; a reader sees what the writer has added."""
        return self._archive.records()

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, point_id: int) -> Record:
        records = self.records
        if isinstance(point_id, bool) or not (isinstance(point_id, int) and 0 <= point_id < len(records)):
            there = f"the points are 0 to {len(records) - 1}" if records else "it has no points yet"
            raise SessionError(f"there is no point {point_id!r}; {there}")
        return records[point_id]

    @property
    @one_at_a_time
    def current(self) -> Record | None:
        """The point that the navigation is at, or was when it ended; None before the first."""
        return None if self._archive.current is None else self[self._archive.current]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the objectives; none before the first point."""
        return tuple(self.records[0].losses) if self.records else ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """Of the metrics."""
        return tuple(self.records[0].metrics) if self.records else ()

    @property
    @one_at_a_time
    def higher_is_better(self) -> dict[str, bool]:
        """Metric -> which way is better, for those of which it is known."""
        if self._folder is not None:
            return {
                str(name): bool(up) for name, up in self._folder.facts.get("higher_is_better", {}).items()
            }
        return {} if self._problem is None else dict(self._problem.higher_is_better)

    def _display(self) -> Display:
        where = "in memory" if self.path is None else f"in {str(self.path)!r}"
        try:
            records, current, title = self.records, self.current, self.title
        except ParetonavError as error:  # who asks what it is is not to be broken off
            return Display(f"Session {where}, which cannot be read", note=str(error))
        named = any(r.name for r in records)
        rows = [
            [
                str(r.id),
                "" if r.parent is None else str(r.parent),
                preference_text(r) or "start",
                str(r.status or ""),
                *([r.name] if named else []),
            ]
            for r in reversed(records)
        ]
        at = "" if current is None else f", at point {current.id}"
        called = f" {in_quotes(title)}" if title else ""
        many = f"of {len(records)} point{'' if len(records) == 1 else 's'}"
        heading = (
            f"Session{called} {many} {where}{at}; the latest first"
            if rows
            else f"Session{called} {where}, empty"
        )
        return Display(heading, ["point", "from", "asked", "status", *(["name"] if named else [])], rows)

    def path_to(self, point_id: int) -> tuple[Record, ...]:
        """The points from the first one to this one."""
        way, records = [self[point_id]], self.records
        while way[-1].parent is not None:
            way.append(records[way[-1].parent])
        return tuple(reversed(way))

    @property
    @one_at_a_time
    def title(self) -> str:
        """What the whole is about, for people; empty until it is set.

        Setting it raises ``SessionError`` if it is longer than a line, or the session is open for reading only.
        """
        return self._archive.title

    @title.setter
    @one_at_a_time
    def title(self, text: str) -> None:
        title = title_of(text)
        undisturbed(lambda: self._archive.entitle(title))

    @one_at_a_time
    def name(self, point_id: int, text: str) -> None:
        """Call a point something: a few words on a line, by which tables, charts and cards tell it from others.

        Args:
            point_id: of the point.
            text: its name; an empty one takes it away.

        Raises:
            SessionError: the name is too long, a number or another point's; or there is no such point.
        """
        record = self[point_id]
        self._annotate(replace(record, name=name_of(text, record.id, self.records)))

    @one_at_a_time
    def id_of(self, name: str) -> int:
        """The number of the point with this name, whatever its upper and lower case.

        Raises:
            SessionError: no point is called so.
        """
        found = named(name, self.records)
        if found is None:
            raise SessionError(f"no point is called {in_quotes(name)}")
        return found.id

    @one_at_a_time
    def note(self, point_id: int, text: str) -> None:
        """Write something down about a point; it replaces what was there."""
        record = self[point_id]
        try:
            text.encode("utf-8")
        except (AttributeError, UnicodeEncodeError) as error:
            raise SessionError(f"cannot note {text!r} down: {error}; give a text") from error
        self._annotate(replace(record, note=text))

    @one_at_a_time
    def star(self, point_id: int, *, on: bool = True) -> None:
        """Mark a point, or take the mark away."""
        self._annotate(replace(self[point_id], star=bool(on)))

    @one_at_a_time
    def point(self, point_id: int) -> Point:
        """A point with its parameters and its model of the front; if it is pruned, its parameters are empty."""
        return self._archive.point(self[point_id].id)

    @one_at_a_time
    def state_dict(self, point_id: int | None = None) -> dict[str, Tensor]:
        """The state_dict of the model at a point (None: the current one), without the model's code.

        Raises:
            SessionError: there is no such point, or the state_dict has names of its own and needs the model's code.
        """
        point = whole(self._archive, self.point(self._chosen(point_id)))
        if self._folder is None:
            if self._problem is None:
                raise SessionError("the session has no model")
            return self._problem.state_dict(point.parameters)
        if not self._folder.facts.get("complete"):
            raise SessionError(
                "the model's state_dict is more than its parameters and buffers (hooks or an extra state): "
                "export it where the model is, by Navigator.export"
            )
        layout = from_facts(self._folder.facts)
        return assembled(layout, point.parameters, self._folder.fixed())

    def export(self, path: str | PathLike[str], point_id: int | None = None, *, card: bool = False) -> None:
        """Write the model's state_dict at a point to a ``.safetensors`` file, whole or not at all.

        It loads without paretonav: ``model.load_state_dict(safetensors.torch.load_file(path))``. The file's
        metadata has the losses, the weights, the number of the point, and its name and the session's title if there are
        such.

        Args:
            path: of the file.
            point_id: of the point; None is the current one.
            card: write the model card (see ``card``) next to it, under the same name with ``.md``.
        """
        record = self[self._chosen(point_id)]
        text = self.card(record.id) if card else ""
        write_state(path, self.state_dict(record.id), facts_of(record, self.title))
        if card:
            write_text(place(path).with_suffix(".md"), text)

    def table(self) -> DataFrame:
        """All numbers of all points as a pandas DataFrame, one row per point in the order of their ids.

        Its columns are ``id``, ``parent``, ``made``, ``preference`` (in words), ``amount``, ``on`` (the data on
        which losses were asked for), ``status``, ``reason``, ``name``, ``note``, ``star``, ``joint gain``,
        ``residual``, ``pull`` (where the model is held, in parts of the largest curvature; there the two before are not
        known), ``seconds``, ``gradient passes``, ``Hessian products``, and for each loss or metric ``"KIND: NAME"``,
        such as ``"validation loss: age"``. The kinds are train loss, validation loss, metric, weight, requested change,
        and predicted and achieved change of each of the first three ("achieved train change: age"); "s.e." after a kind
        has the standard errors.
        """
        return table(self.records)

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the table as CSV, whole or not at all.

        A text that a spreadsheet would take for a formula is preceded by an apostrophe.

        Raises:
            SessionError: the file cannot be written; what was there is as it was.
        """
        write_text(path, csv(self.table()))

    def to_json(self, path: str | PathLike[str]) -> None:
        """Write all points as one JSON document, whole or not at all; null stands for what is no finite number.

        Raises:
            SessionError: the file cannot be written; what was there is as it was.
        """
        write_text(path, self.as_json())

    @one_at_a_time
    def as_json(self) -> str:
        """What ``to_json`` writes."""
        return listing(self.records, self._archive.current, self.higher_is_better, self.title)

    def compare(self, *point_ids: int) -> Comparison:
        """Points side by side with the first that is named: on training and validation losses, and metrics.

        Raises:
            SessionError: fewer than two points are named, one twice, or one that is not there.
        """
        if len(set(point_ids)) < max(2, len(point_ids)):
            raise SessionError(
                f"cannot compare the points {list(point_ids)}; name two or more, each of them once"
            )
        records = [self[point_id] for point_id in point_ids]
        return Comparison.of(records, [self.point(record.id) for record in records], self.higher_is_better)

    def non_dominated(self, *, split: str | None = None) -> tuple[Record, ...]:
        """The points than which no other is better in one loss and worse in none.

        Points with equal losses are all kept. Losses are compared as they are, whatever their standard errors.

        Args:
            split: "train" or "validation" losses; None is validation data where there is any.

        Raises:
            SessionError: there is no such split.
        """
        records = self.records
        if not records:
            return ()
        kept = non_dominated(fronts.losses_of(records, split))
        return tuple(record for record, keep in zip(records, kept, strict=True) if keep)

    def hypervolume(
        self,
        reference: Mapping[str, float] | Sequence[float] | None = None,
        *,
        point_ids: Sequence[int] | None = None,
        split: str | None = None,
    ) -> float:
        """How much of the space of losses the points dominate: the more, the better the front is covered.

        Args:
            reference: the corner up to which volume counts, a number for each objective; points that are not below it
                everywhere add nothing. None is the worst of all visited losses and a tenth of their range beyond. That
                moves when points are added, so give one to follow a session, or to compare two.
            point_ids: of the points that count; None is all.
            split: as in ``non_dominated``.

        Returns:
            The volume, in the product of the losses' units. It is computed now, exactly where that takes under a
            second (always with up to four objectives), else to about 0.1 %.

        Raises:
            SessionError: there is no such split or point, or the reference does not fit.
        """
        if not self.records:
            raise SessionError("the session has no point yet, so there is no hypervolume")
        losses = fronts.losses_of(self.records, split)
        if reference is None:
            corner = fronts.default_reference(losses)
        else:
            corner = fronts.checked_reference(reference, self.names)
        if point_ids is not None:
            losses = losses[[self[point_id].id for point_id in point_ids]]
        return fronts.hypervolume(losses, corner)

    def card(self, point_id: int | None = None) -> str:
        """The model card of a point (None: the current one), in Markdown.

        It tells what was traded for what since the start, on which path (what each step was asked, was expected to do
        and did, with standard errors), where the model stands on the front, on which data, and what it took.
        """
        record = self[self._chosen(point_id)]
        return str(
            Card(
                path=self.path_to(record.id),
                points=len(self.records),
                chosen=self.point(record.id),
                since_start=None if record.parent is None else self.compare(0, record.id),
                title=self.title,
            )
        )

    @one_at_a_time
    def prune(self, keep: Iterable[int] = ()) -> int:
        """Let go of the models of points, for ever, to free the space that they take; their numbers stay.

        What is pruned can still be looked at and compared, but not be gone to or exported. Tangents go, too, except the
        current point's: they are solved for again when they are needed.

        Args:
            keep: the points whose models stay, besides the first, the current one, and those with a star.

        Returns:
            How many bytes that has freed.

        Raises:
            SessionError: there is no such point, or the session is open for reading only.
        """
        kept = {self[point_id].id for point_id in keep} | {
            record.id for record in self.records if record.star
        }
        if self.current is not None:
            kept |= {0, self.current.id}
        gone = [record.id for record in self.records if record.id not in kept | self._archive.pruned]
        return undisturbed(lambda: self._archive.prune(gone))

    @property
    @one_at_a_time
    def pruned(self) -> tuple[int, ...]:
        """The points whose models were let go of."""
        return tuple(sorted(self._archive.pruned))

    @one_at_a_time
    def copy(self, path: str | PathLike[str]) -> None:
        """Copy the session into a new folder, as it is at this moment, complete or not at all.

        That is safe while it is in use, by this process or another; copying its files by other means is not.

        Raises:
            SessionError: it is in memory, there is something already, or a file is damaged or cannot be written.
        """
        if self._folder is None:
            raise SessionError(
                "a session in memory cannot be copied; give the navigator a folder, session=PATH"
            )
        self._folder.copy(place(path))

    @one_at_a_time
    def close(self) -> None:
        """Let another process write; what there is can be read on."""
        self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _annotate(self, record: Record) -> None:
        undisturbed(lambda: self._archive.annotate(record))

    def _chosen(self, point_id: int | None) -> int:
        if point_id is not None:
            return self[point_id].id
        if self.current is None:
            raise SessionError("the session has no point yet")
        return self.current.id
