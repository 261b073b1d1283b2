"""Commands carried out on a navigator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from os.path import expanduser, splitext

from rich.console import Console
from rich.text import Text

from paretonav.atlas import Route
from paretonav.errors import InfeasiblePreferenceError, ParetonavError, SessionError
from paretonav.navigation import Navigator
from paretonav.plotting import save_plot
from paretonav.session import Record
from paretonav.session.wording import caution, unsure
from paretonav.steering import Aim, Improve, Option, Point, Prefer, Preference, Preview, Step, StepStatus
from paretonav.steering.preferences.wording import describe
from paretonav.terminal import commands as say
from paretonav.terminal.console import watched_on
from paretonav.terminal.front_views import cover_view, map_view, route_line
from paretonav.terminal.parser import PAGE_FORMATS
from paretonav.terminal.spoken import moved
from paretonav.terminal.views import (
    compare_view,
    help_view,
    options_view,
    outlook_view,
    point_view,
    points_view,
    preview_view,
    step_view,
    verb_view,
)
from paretonav.terminal.words import quoted
from paretonav.text import in_quotes, listed, number, printable, sentence

_TINY = 1e-4  # of an objective: a preview of next to nothing, for the reach that comes with it


class RefusedError(ParetonavError):
    """A command that makes sense was not carried out; the message says why, and what to try."""


class Dialogue:
    """A navigation from a terminal: what is held, and how each command is done and shown.

    Args:
        navigator: not started yet.
        console: to write on.
        ask: answers whether a step shall be taken.
        train_on: whether a model that comes trained is trained on at the start.
        save_page: writes the navigation as a page to look around in; None where whoever runs this has none.
    """

    def __init__(
        self,
        navigator: Navigator,
        console: Console,
        ask: Callable[[str], bool] = lambda _: True,
        *,
        train_on: bool = False,
        save_page: Callable[[Navigator, str], None] | None = None,
    ) -> None:
        self.navigator = navigator
        self.console = console
        self.held: tuple[str, ...] = ()
        self.ask = ask
        self._train_on = train_on
        self._save_page = save_page
        self._options: tuple[int | None, tuple[Option, ...]] = (None, ())
        self._last: Step | None = None

    def start(self) -> None:
        """Go to the first point and show it."""
        resumed = len(self.navigator.records) > 0
        if self.navigator.holds and not resumed:
            expected = self.navigator.estimate("start").words
            beside = ", beside what is trained on before" if self._train_on else ""
            self.console.print(Text(f"{expected[0].upper()}{expected[1:]}{beside}.", style="dim"))
        with watched_on(self.console) as (tell, cancel):
            point = self.navigator.start(train_on=self._train_on, on_event=tell, cancel=cancel)
        if resumed:
            told = f"Resumed at point {point.id} of {len(self.navigator.records)}.\n"
            if self._train_on:
                told += "Nothing was trained on: that is done before the first point only.\n"
        else:
            where = "On the front" if point.anchor is None else "At the first point"
            told = f"{where} after {point.cost.seconds:.1f} s.\n"
        if title := self.navigator.session.title:
            self.console.print(Text(printable(title), style="bold"))
        self.console.print(Text(told, style="dim"))
        self._show()

    def run(self, command: say.Command) -> None:
        """Carry out a command.

        Raises:
            ParetonavError: it was not carried out; the navigation is where it was.
        """
        match command:
            case say.Step() | say.Prefer():
                self._step(self._preference(command), command.percent / 100)
            case say.Preview(wish):
                self._preview(self._preference(wish), wish.percent / 100)
            case say.Options(percent):
                self._show_options(percent / 100)
            case say.Take(number_):
                option = self._option(number_)
                self._step(option.preference, option.amount)
            case say.Cover():
                self._cover(command)
            case say.Map():
                self._map(command)
            case say.Training():
                self._measure_training()
            case say.Explain(names):
                if self._last is None:
                    raise RefusedError("there is no step to explain yet; take one first")
                self._say(self._last.explain(*names))
            case say.Hold(names):
                self._set_held((*self.held, *(name for name in names if name not in self.held)))
            case say.Release(names):
                self._release(names)
            case say.Undo():
                self.navigator.undo()
                self._summarise()
            case say.Go(point):
                self.navigator.go_to(self._id(point))
                self._summarise()
            case say.Points():
                ascii_only = self.console.options.ascii_only
                self.console.print(
                    points_view(self.navigator.records, self.navigator.here.id, ascii_only=ascii_only)
                )
            case say.Compare(points):
                self.console.print(compare_view(self.navigator.session.compare(*map(self._id, points))))
            case say.Name(text):
                here = self.navigator.here.id
                self.navigator.session.name(here, text)
                called = self.navigator.session[here].name
                self._say(
                    f"Point {here} is called {in_quotes(called)}." if called else f"Point {here} has no name."
                )
            case say.Title(text):
                self.navigator.session.title = text
                self._say(f"The title is: {self.navigator.session.title or 'none'}.")
            case say.Note(text):
                self.navigator.session.note(self.navigator.here.id, text)
                self._say(f"Noted of point {self.navigator.here.id}: {text or 'nothing'}.")
            case say.Star(on):
                self.navigator.session.star(self.navigator.here.id, on=on)
                self._say(f"Point {self.navigator.here.id} has {'a' if on else 'no'} star.")
            case say.Show():
                self._show()
            case say.Plot(path):
                self._plot(expanduser(path))
                self._say(f"The plot is in {path}.")
            case say.Export(path, card):
                self.navigator.export(expanduser(path), card=card)
                beside = f", its card in {splitext(path)[0]}.md" if card else ""
                self._say(f"The model of point {self.navigator.here.id} is in {path}{beside}.")
            case say.Help(verb):
                self.console.print(verb_view(verb) if verb else help_view(self.held))
            case say.Quit():
                pass

    def _plot(self, path: str) -> None:
        if self._save_page is not None and splitext(path)[1].lower() in PAGE_FORMATS:
            self._save_page(self.navigator, path)
        else:
            save_plot(self.navigator, path)

    def _measure_training(self) -> None:
        here, known = self.navigator.here, self.navigator.known_training_gain
        if known is None:
            question = f"Train a copy of point {here.id} for fifteen epochs, to see? [y/n] "
            if not self.ask(question):
                self._say("Not measured.")
                return
            with watched_on(self.console) as (tell, cancel):
                known = self.navigator.training_gain(on_event=tell, cancel=cancel)
        self._say(sentence(known.words))

    def _cover(self, command: say.Cover) -> None:
        if self.held:
            held = listed([printable(name) for name in self.held])
            raise RefusedError(
                f"{held} cannot be held while points are spread over the front; first say: release"
            )
        if not self.ask(f"Take steps to {command.count} points along the front? [y/n] "):
            self._say("Not taken.")
            return
        with watched_on(self.console) as (tell, cancel):
            cover = self.navigator.cover(
                command.count, allow=command.allow, on=command.on, on_event=tell, cancel=cancel
            )
        self.console.print()
        self.console.print(cover_view(cover))
        if not cover.points:
            raise RefusedError("there is no point within these bounds; allow more")

    def _map(self, command: say.Map) -> None:
        front_map = self.navigator.map(on=command.on)
        if not command.target:
            self.console.print(map_view(front_map))
            return
        for name in command.target:
            if name in self.held:
                raise RefusedError(f"{printable(name)} is held; first say: release {quoted(name)}")
        route = front_map.preview(Aim(command.target, hold=self.held, on=command.on))
        start, asked = self.navigator.session.point(route.start), route.preview.planned.preference
        self.console.print(preview_view(route.preview, start, describe(asked, 1.0)))
        self.console.print(route_line(route))
        self._take(route, start)

    def _step(self, preference: Preference, amount: float) -> None:
        self._take(self._preview(preference, amount), self.navigator.here)

    def _take(self, preview: Preview | Route, before: Point) -> None:
        """Take a step that was previewed, if that is wanted; ``before`` is where it begins."""
        if not self.ask("Take this step? [y/n] "):
            self._say("Not taken.")
            return
        here = self.navigator.here.id
        with watched_on(self.console) as (tell, cancel):
            step = self.navigator.step(preview, on_event=tell, cancel=cancel)
        self._last = step
        self.console.print()
        self.console.print(step_view(step, before))
        if doubt := unsure(before):
            self.console.print(Text(doubt, style="yellow"))
        if step.status is StepStatus.REJECTED:
            raise RefusedError(
                f"the step was rejected and taken back: {step.reason}; the model is still that of point "
                f"{here}; try a smaller amount or another preference"
            )
        self.console.print()
        self._summarise()

    def _preview(self, preference: Preference, amount: float) -> Preview:
        try:
            preview = self.navigator.preview(preference, amount)
        except InfeasiblePreferenceError as error:
            raise RefusedError(_infeasible(amount, error)) from error
        if warning := caution(self.navigator.here, self.navigator.known_training_gain):
            self.console.print(Text(f"{warning}\n", style="yellow"))
        self.console.print(preview_view(preview, self.navigator.here, describe(preference, amount)))
        return preview

    def _preference(self, asked: say.Step | say.Prefer) -> Preference:
        """What is asked for with what is held, if it does not contradict that."""
        if isinstance(asked, say.Prefer):
            return Prefer(self._point(asked.better), self._point(asked.over), hold=self.held, on=asked.on)
        for name in moved(asked.preference):
            if name in self.held:
                raise RefusedError(f"{printable(name)} is held; first say: release {quoted(name)}")
        held = tuple(dict.fromkeys((*asked.preference.hold, *self.held)))
        return replace(asked.preference, hold=held)

    def _point(self, which: say.Which) -> Record:
        """A point by its number or its name."""
        session = self.navigator.session
        try:
            return session[which if isinstance(which, int) else session.id_of(which)]
        except SessionError as error:
            raise RefusedError(f"{error}; points lists them") from error

    def _id(self, which: say.Which) -> int:
        return self._point(which).id

    def _show_options(self, amount: float) -> None:
        here = self.navigator.here
        self._options = here.id, here.options(amount, hold=self.held)
        if not self._options[1]:
            raise RefusedError("nothing is possible here; release what is held, or go to another point")
        self.console.print(options_view(self._options[1], here))

    def _option(self, place: int) -> Option:
        point, found = self._options
        if point != self.navigator.here.id:
            raise RefusedError("the options of this point have not been shown; first say: options")
        if not 1 <= place <= len(found):
            raise RefusedError(f"there is no option {place}; they are numbered from 1 to {len(found)}")
        return found[place - 1]

    def _release(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.held:
                raise RefusedError(f"{printable(name)} is not held, so it cannot be released")
        self._set_held(tuple(name for name in self.held if names and name not in names))

    def _set_held(self, held: tuple[str, ...]) -> None:
        self.held = held
        self._say(f"Held from now on: {listed([printable(name) for name in held]) or 'nothing'}.")

    def _summarise(self) -> None:
        here, points = self.navigator.here, self.navigator.records
        self.console.print(point_view(here, points[0], points[here.id]))

    def _show(self) -> None:
        self._summarise()
        here = self.navigator.here
        reaches = {name: self._reach(name) for name in here.losses if name not in self.held}
        gain = self.navigator.known_training_gain
        self.console.print(outlook_view(here, reaches, self.held, gain))

    def _reach(self, name: str) -> float:
        try:
            return self.navigator.preview(Improve({name: 1.0}, hold=self.held), _TINY).reach
        except InfeasiblePreferenceError as error:
            return error.reach

    def _say(self, text: str) -> None:
        self.console.print(printable(text))


def _infeasible(amount: float, error: InfeasiblePreferenceError) -> str:
    wanted = f"{100 * amount:.6g}% is not possible here: {error.reason}"
    possible = int(1000 * error.reach) / 10
    if possible == 0:
        return f"{wanted}; release what is held, or improve something else"
    return f"{wanted}; try it with: by {number(possible)}%"
