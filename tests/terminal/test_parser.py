import math
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import paretonav as pn
from paretonav.steering import Aim, Classify, Direction, Improve, Situation
from paretonav.terminal.commands import (
    Compare,
    Cover,
    Explain,
    Export,
    Go,
    Help,
    Hold,
    Map,
    Name,
    Note,
    Options,
    Plot,
    Points,
    Prefer,
    Preview,
    Quit,
    Release,
    Show,
    Star,
    Step,
    Take,
    Title,
    Training,
    Undo,
)
from paretonav.terminal.parser import VERBS, parse
from paretonav.terminal.words import CommandError

TASKS = ("left", "right", "middle")

names = st.text(min_size=1, max_size=12)
finite = st.floats(allow_nan=False, allow_infinity=False)
percents = st.floats(min_value=1e-9, max_value=1e9)
numbers = st.integers(0, 999_999_999)
which = numbers | names.filter(str.strip)
data = st.sampled_from([None, "train", "validation"])


@st.composite
def problems_and_commands(draw):
    """The names of a problem, and commands on it."""
    known = draw(st.lists(names, min_size=2, max_size=5, unique=True))
    some = st.lists(st.sampled_from(known), min_size=1, unique=True).map(tuple)

    def entries(weights, useful):
        chosen = draw(some)
        drawn = draw(st.lists(weights, min_size=len(chosen), max_size=len(chosen)).filter(useful))
        return dict(zip(chosen, drawn, strict=True))

    def classes():
        order = draw(st.permutations(known))
        cuts = sorted(draw(st.lists(st.integers(0, len(order)), min_size=4, max_size=4)))
        parts = [tuple(order[a:b]) for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
        to, allow = ({name: draw(finite) for name in part} for part in parts[1:3])
        improve = parts[0] if parts[0] or to else (order[0],)
        rest = [tuple(name for name in part if name not in improve) for part in parts[3:]]
        allow = {name: bound for name, bound in allow.items() if name not in improve}
        return Classify(improve, to, hold=rest[0], allow=allow, free=rest[1], on=draw(data))

    def bounds():
        return entries(finite, any) if draw(st.booleans()) else {}

    def falling():
        return entries(finite, lambda changes: any(change < 0 for change in changes))

    def wish():
        makers = (
            lambda: Improve(entries(finite.map(abs), any), allow=bounds(), on=draw(data)),
            lambda: Direction(falling(), allow=bounds(), on=draw(data)),
            lambda: Aim(entries(finite, any), allow=bounds(), on=draw(data)),
            classes,
        )
        if draw(st.integers(0, len(makers))) == len(makers):
            return Prefer(draw(numbers), draw(numbers), draw(percents), draw(data))
        return Step(draw(st.sampled_from(makers))(), draw(percents | st.just(100.0)))

    def one():
        makers = (
            wish,
            lambda: Preview(wish()),
            lambda: Hold(draw(some)),
            lambda: Release(draw(some | st.just(()))),
            lambda: Go(draw(numbers)),
            lambda: Take(draw(numbers)),
            lambda: Options(draw(percents)),
            lambda: Cover(draw(st.integers(1, 9999)), bounds(), draw(data)),
            lambda: Map(bounds(), draw(data)),
            lambda: Explain(draw(some | st.just(()))),
            lambda: Plot(
                "way" + draw(names) + "x" + draw(st.sampled_from([".png", ".svg", ".pdf", ".html"]))
            ),
            lambda: Export("way" + draw(names) + "x.safetensors", draw(st.booleans())),
            lambda: Compare(tuple(draw(st.lists(which, min_size=2, max_size=4)))),
            lambda: Go(draw(which)),
            lambda: Prefer(draw(which), draw(which), draw(percents)),
            lambda: draw(st.sampled_from([Note, Name, Title]))(draw(st.just("") | names)),
            lambda: Star(draw(st.booleans())),
            lambda: draw(st.sampled_from([Undo(), Points(), Show(), Training(), Help(), Quit()])),
        )
        return draw(st.sampled_from(makers))()

    return known, [one() for _ in range(draw(st.integers(0, 4)))]


@given(problems_and_commands(), st.sampled_from([";", "\n", " ; ", ";;\n"]))
def test_what_a_command_says_of_itself_parses_to_it(case, separator):
    known, commands = case
    assert parse(separator.join(map(str, commands)), known) == commands


@given(st.text())
def test_garbage_is_refused_in_words(text):
    with suppress(CommandError):
        parse(text, TASKS)


words = st.sampled_from(
    [
        *VERBS,
        *TASKS,
        "by",
        "to",
        "allow",
        "all",
        "5%",
        "%",
        "1",
        "-1",
        "+.5",
        "1e999",
        ";",
        "'",
        '"',
        "x.png",
        "?",
        "nan",
    ]
)


@given(st.lists(words, max_size=12).map(" ".join))
def test_word_salad_is_refused_or_makes_sense(text):
    try:
        commands = parse(text, TASKS)
    except CommandError:
        return
    for command in commands:
        if isinstance(command, Step):
            assert math.isfinite(command.percent)
            assert command.percent > 0
            if isinstance(command.preference, Improve | Direction) and not command.preference.allow:
                command.preference.wish(Situation.of(dict.fromkeys(TASKS, 1.0)))


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("improve left", Step(Improve({"left": 1.0}), 5.0)),
        ("IMPROVE Left 0.7 RIGHT .3 BY 2.5%", Step(Improve({"left": 0.7, "right": 0.3}), 2.5)),
        ("improve left right 2 by 5 %", Step(Improve({"left": 1.0, "right": 2.0}), 5.0)),
        ("direction left -1 middle +0.5 by 1%", Step(Direction({"left": -1.0, "middle": 0.5}), 1.0)),
        ("preview improve 'left'", Preview(Step(Improve({"left": 1.0}), 5.0))),
        ("aim left 0.5 Right -1", Step(Aim({"left": 0.5, "right": -1.0}), 100.0)),
        ("aim left 0.5 by 50% allow right .4", Step(Aim({"left": 0.5}, allow={"right": 0.4}), 50.0)),
        (
            "classify improve left to right 0.4 hold middle by 2%",
            Step(Classify(["left"], {"right": 0.4}, hold=["middle"]), 2.0),
        ),
        (
            "classify allow right 0.4 free middle improve left",
            Step(Classify(["left"], allow={"right": 0.4}, free=["middle"]), 5.0),
        ),
        ("prefer 3 to 1", Prefer(3, 1)),
        ("improve left on training data", Step(Improve({"left": 1.0}, on="train"), 5.0)),
        (
            "improve left by 5% allow right 1 ON Train",
            Step(Improve({"left": 1.0}, allow={"right": 1.0}, on="train"), 5.0),
        ),
        ("direction left -1 on validation data", Step(Direction({"left": -1.0}, on="validation"), 5.0)),
        ("direction left -1 allow right 2", Step(Direction({"left": -1.0}, allow={"right": 2.0}), 5.0)),
        ("aim left 0.5 on train data", Step(Aim({"left": 0.5}, on="train"), 100.0)),
        ("classify improve left by 2% on training", Step(Classify(["left"], on="train"), 2.0)),
        ("prefer 3 to 1 on training data", Prefer(3, 1, on="train")),
        ("training", Training()),
        ("preview prefer 3 to 1 by 1%", Preview(Prefer(3, 1, 1.0))),
        ("options", Options()),
        ("take 2", Take(2)),
        ("explain", Explain()),
        ("explain LEFT", Explain(("left",))),
        ("hold left middle", Hold(("left", "middle"))),
        ("release", Release()),
        ("release all", Release()),
        ("release left", Release(("left",))),
        ("go 12", Go(12)),
        ("go 'the fair one'", Go("the fair one")),
        ("go '12'", Go("12")),
        ("prefer fair to 1", Prefer("fair", 1)),
        ("compare 3 fair 'to'", Compare((3, "fair", "to"))),
        ("name the  fair one", Name("the fair one")),
        ("name", Name("")),
        ("title Three 'digits; one  net'", Title("Three digits; one  net")),
        ("plot my_way.HTML", Plot("my_way.HTML")),
        (r"plot C:\new\way.png", Plot(r"C:\new\way.png")),
        ('export "a ""b"".safetensors"', Export('a "b".safetensors')),
        ("export m.safetensors card", Export("m.safetensors", card=True)),
        ("compare 3 0 12", Compare((3, 0, 12))),
        ("note good for  A, less so for 'B  1'", Note("good for A, less so for B  1")),
        ("note", Note("")),
        ("star", Star()),
        ("star OFF", Star(on=False)),
        ("?", Help()),
        ("exit", Quit()),
        ("  undo  ", Undo()),
    ],
)
def test_commands(text, command):
    assert parse(text, TASKS) == [command]


@pytest.mark.parametrize("text", ["", "  ", ";;", "\n \n"])
def test_nothing_is_no_command(text):
    assert parse(text, TASKS) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("imporve left", "did you mean improve?"),
        ("dance", "help lists all"),
        ("improve", "name of an objective is missing"),
        ("improve by 5%", "missing before 'by'"),
        ("improve lft", "did you mean left?.*there are left, right and middle"),
        ("improve left by", "the amount is missing"),
        ("improve left by 5", "write the amount like this: by 5%"),
        ("improve left by five%", "write the amount like this: by 5%"),
        ("improve left by 0%", "more than 0%"),
        ("improve left by 1e999%", "finite"),
        ("improve left by 5% now", "'now' is too much; the command is: improve NAME"),
        ("improve 0.7 left", "name of an objective is expected where 0.7 stands"),
        ("improve left -1", r"use: direction NAME -1 left \+1"),
        ("improve left 0", "no weight is positive"),
        ("improve left left", "'left' is named more than once"),
        ("improve left 1e999", "too large"),
        ("direction left", "change of left is missing"),
        ("direction left +1", "negative change"),
        ("direction left -1 left -1", "more than once"),
        ("preview undo", "cannot be previewed"),
        ("preview", "what to preview is missing"),
        ("hold", "name of an objective is missing"),
        ("hold left left", "more than once"),
        ("aim left", "the value to aim at of left is missing"),
        ("aim left 0.5 left 0.4", "more than once"),
        ("classify left", "a class is missing"),
        ("classify", "nothing is to improve"),
        ("classify hold left", "nothing is to improve"),
        ("classify improve left hold left", "more than once"),
        ("classify improve left improve right", "'improve' is there more than once"),
        ("classify improve hold left", "missing before 'hold'"),
        ("classify to left", "the value to improve to of left is missing"),
        ("prefer 1 2", "'to' is missing"),
        ("prefer to 2", "the number or the name of a point is missing before 'to'"),
        ("take best", "options lists them"),
        ("undo 2", "'2' is too much"),
        ("training left", "'left' is too much"),
        ("improve on training data", "missing before 'on'"),
        ("improve left on", "training or validation data is missing"),
        ("improve left on test data", "'test' are no data to ask on; say: on training data"),
        ("improve left on train by 5%", "'by' is too much"),
        ("go", "the number or the name of a point is missing"),
        ("go ' '", "nothing but spaces"),
        ("go 1.5", "points lists them"),
        ("go -1", "points lists them"),
        ("plot", "name of a file is missing"),
        ("plot way.gif", "does not end in .png, .svg, .pdf or .html"),
        ("plot my way.png", "put a name with spaces in quotes"),
        ("export model.pt", "does not end in .safetensors"),
        ("export m.safetensors cards", "only one file name"),
        ("compare 1", "the number or the name of a point is missing"),
        ("compare 1 2b", "points lists them"),
        ("star bright", "'bright' is too much"),
        ("improve 'left", "not closed; add another '"),
    ],
)
def test_mistakes_are_named_with_their_remedy(text, says):
    with pytest.raises(CommandError, match=says):
        parse(text, TASKS)


def test_all_mistakes_of_a_script_are_named_at_once():
    with pytest.raises(CommandError) as caught:
        parse("undo; imporve left; hold lft; show", TASKS)
    assert re.search(r"command 2 \(imporve left\).*\n.*command 3 \(hold lft\)", str(caught.value))


def test_names_that_differ_by_case_need_it():
    assert parse("hold Loss", ("loss", "Loss")) == [Hold(("Loss",))]
    with pytest.raises(CommandError, match="no objective or metric 'LOSS'"):
        parse("hold LOSS", ("loss", "Loss"))


def test_messages_never_carry_control_characters():
    with pytest.raises(CommandError) as caught:
        parse("\x1b[2J", TASKS)
    assert "\x1b" not in str(caught.value)


def test_a_command_means_what_it_means_in_python():
    (command,) = parse("improve left 0.7 right 0.3 by 5%", TASKS)
    assert command.preference == pn.Improve({"left": 0.7, "right": 0.3})
    (command,) = parse("direction left -1 right 0.5", TASKS)
    assert command.preference == pn.Direction({"left": -1, "right": 0.5})
    for text in ("improve left", "direction left -1", "aim left 0.5", "classify improve left"):
        (command,) = parse(f"{text} on training data", TASKS)
        assert command.preference.on == "train"
        (command,) = parse(text, TASKS)
        assert command.preference.on is None


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("improve left allow right 0.5", {"right": 0.5}),
        ('improve left by 5% allow right .5 "left accuracy" 0.43', {"right": 0.5, "left accuracy": 0.43}),
    ],
)
def test_bounds_follow_allow(text, allowed):
    (command,) = parse(text, TASKS, ["left accuracy"])
    assert command.preference.allow == allowed
    assert parse(str(command), TASKS, ["left accuracy"]) == [command]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("improve left allow", "name of an objective is missing"),
        ("improve left allow right", "worst value allowed of right is missing"),
        ("improve allow right 1", "missing before 'allow'"),
        ("improve left allow right 1 right 2", "more than once"),
    ],
)
def test_bounds_need_a_name_and_a_value(text, words):
    with pytest.raises(CommandError, match=words):
        parse(text, TASKS)


def test_metrics_are_named_as_losses_are_and_may_be_better_higher():
    assert parse('improve "Left Accuracy"', TASKS, ["left accuracy"]) == [
        Step(Improve({"left accuracy": 1.0}), 5.0)
    ]
    assert parse('direction "left accuracy" 1', TASKS, ["left accuracy"]) == [
        Step(Direction({"left accuracy": 1.0}), 5.0)
    ]
    with pytest.raises(CommandError, match="nothing is to improve"):
        parse("direction left 1", TASKS, ["left accuracy"])


def test_a_name_of_joined_letters_is_told_as_it_is_read() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    with pytest.raises(CommandError, match=family):
        parse(f"improve {family} by 5%", ["\u062f\u0642\u0629"])
