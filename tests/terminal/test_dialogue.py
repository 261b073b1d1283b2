import dataclasses
import re

import pytest

import paretonav as pn
from paretonav.steering import StepStatus
from paretonav.terminal.commands import Plot
from paretonav.terminal.dialogue import Dialogue, RefusedError
from paretonav.terminal.parser import parse


@pytest.fixture
def say(dialogue):
    """Carry out commands given as text."""

    def run(text):
        for command in parse(text, dialogue.navigator.problem.names):
            dialogue.run(command)

    return run


def test_the_start_shows_losses_prices_and_reach(console):
    Dialogue(pn.Navigator(pn.problems.quadratic(n=10, m=3)), console).start()
    shown = console.file.getvalue()
    assert "Point 0 (start)" in shown
    assert re.search(r"f1 +[\d.]+% on f2 or [\d.]+% on f3 +[\d.]+%", shown)
    assert "Nothing is for free" in shown


def test_prices_are_the_trade_offs_in_per_cent(dialogue, say, written):
    point = dialogue.navigator.here
    say("show")
    price = point.trade_offs["f1"]["f2"] * point.losses["f1"] / point.losses["f2"]
    assert f"{price:.2g}% on f2" in written()


def test_improve_shows_the_preview_takes_the_step_and_reports(dialogue, say, written):
    say("improve f1 by 5%")
    start, here = dialogue.navigator.records
    assert here.losses["f1"] == pytest.approx(0.95 * start.losses["f1"], rel=1e-4)
    shown = written()
    assert (
        shown.index("Preview: improve f1 by 5%") < shown.index("Step from point 0") < shown.index("Point 1")
    )
    assert "Accepted" in shown
    assert "gradient passes" in shown
    assert "Hessian products" in shown


def test_several_improvements_are_in_the_proportion_of_their_weights(dialogue, say):
    say("improve f1 1 f2 0.5 by 4%")
    start, here = dialogue.navigator.records
    assert here.losses["f1"] == pytest.approx(0.96 * start.losses["f1"], rel=1e-4)
    assert here.losses["f2"] == pytest.approx(0.98 * start.losses["f2"], rel=1e-4)


def test_held_objectives_stay_until_they_are_released(dialogue, say, written):
    say("hold f2; improve f1; release f2")
    start, here = dialogue.navigator.records
    assert here.losses["f2"] == pytest.approx(start.losses["f2"], rel=1e-4)
    assert "Held from now on: f2." in written()
    assert dialogue.held == ()


def test_holds_add_up_and_are_released_together(dialogue, say):
    say("hold f2; hold f3 f2")
    assert dialogue.held == ("f2", "f3")
    say("release all")
    assert dialogue.held == ()


def test_direction_prescribes_a_rise(dialogue, say):
    say("direction f1 -1 f2 +0.5 by 2%")
    start, here = dialogue.navigator.records
    assert here.losses["f2"] == pytest.approx(1.01 * start.losses["f2"], rel=1e-4)


def test_preview_takes_no_step(dialogue, say, written):
    say("preview improve f1 by 3%")
    assert len(dialogue.navigator.records) == 1
    assert "This can be asked up to" in written()


def test_a_no_leaves_everything(dialogue, say, written):
    dialogue.ask = lambda _: False
    say("improve f1")
    assert len(dialogue.navigator.records) == 1
    assert "Not taken" in written()


def test_undo_and_go_branch_the_tree_of_points(dialogue, say, written):
    say("improve f1 by 2%; improve f2 by 2%; undo; improve f3 by 2%; go 0; points")
    assert [point.parent for point in dialogue.navigator.records] == [None, 0, 1, 1]
    assert "0 <- here" in written()
    assert re.search(r"├─ 2 +1 .*improve f2 by 2%", written())
    assert re.search(r"└─ 3 +1 .*improve f3 by 2%", written())


def test_notes_and_stars_are_kept_and_shown(dialogue, say, written):
    say("improve f1 by 2%; note 'better for  A'; star; points")
    record = dialogue.navigator.records[1]
    assert (record.note, record.star) == ("better for  A", True)
    assert "Noted of point 1: better for  A." in written()
    assert re.search(r"1 ★ <- here +0 .*improve f1 by 2%.*\n +better for  A", written())
    say("note; star off")
    record = dialogue.navigator.records[1]
    assert (record.note, record.star) == ("", False)


def test_points_are_compared(dialogue, say, written):
    say("improve f1 by 2%; compare 0 1")
    start, here = dialogue.navigator.records
    assert re.search(rf"f1 +train +{start.losses['f1']:.4f} +{here.losses['f1']:.4f} .* -2.0%", written())
    with pytest.raises(pn.SessionError, match="each of them once"):
        say("compare 1 1")


def test_a_card_lies_beside_the_model(dialogue, say, written, tmp_path):
    say(f"export '{tmp_path / 'm.safetensors'}' card")
    assert (tmp_path / "m.md").read_text("utf-8") == dialogue.navigator.session.card()
    assert "m.md" in "".join(written().split())


def test_a_resumed_dialogue_says_so(console, tmp_path):
    for _ in range(2):
        navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2), session=tmp_path / "session")
        Dialogue(navigator, console).start()
        navigator.session.close()
    assert "Resumed at point 0 of 1." in console.file.getvalue()


def test_files_are_written(say, tmp_path):
    for name in ("way.png", "way.svg", "way.pdf", "model.safetensors"):
        verb = "export" if name.startswith("model") else "plot"
        say(f"{verb} '{tmp_path / name}'")
        assert (tmp_path / name).stat().st_size > 0


def test_a_page_is_saved_by_whoever_has_one(console, tmp_path):
    navigator = pn.Navigator(pn.problems.quadratic(n=10, m=2))
    saved = []
    dialogue = Dialogue(navigator, console, save_page=lambda *asked: saved.append(asked))
    dialogue.start()
    for name in ("way.HTML", "way.png"):
        dialogue.run(Plot(str(tmp_path / name)))
    assert saved == [(navigator, str(tmp_path / "way.HTML"))]
    assert [file.name for file in tmp_path.iterdir()] == ["way.png"]


def test_a_home_folder_is_found(say, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    say("plot ~/way.png")
    assert (tmp_path / "way.png").exists()


def test_too_much_is_refused_with_the_reach(dialogue, say):
    with pytest.raises(
        RefusedError, match=r"90% is not possible here: .*; try it with: by [\d.]+%"
    ) as caught:
        say("improve f1 by 90%")
    say(f"improve f1 {str(caught.value).rpartition(': ')[2]}")
    assert len(dialogue.navigator.records) == 2


def test_holding_all_that_could_pay_is_refused(say):
    with pytest.raises(RefusedError, match="none is left to pay; release"):
        say("hold f2 f3; improve f1")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hold f1; improve f1", "f1 is held; first say: release f1"),
        ("hold f1; direction f2 -1 f1 +1", "f1 is held"),
        ("release f1", "f1 is not held"),
        ("undo", "nothing to undo"),
        ("go 7", "no point 7"),
        ("plot /no/such/folder/way.png", "cannot write"),
        ("plot way.html", "the page to look around in is saved by the cockpit"),
        ("export /no/such/folder/model.safetensors", "cannot write"),
    ],
)
def test_what_cannot_be_done_is_refused(dialogue, say, text, says):
    with pytest.raises(pn.ParetonavError, match=says):
        say(text)
    assert len(dialogue.navigator.records) == 1


def test_a_held_objective_may_have_weight_zero(dialogue, say):
    say("hold f2; improve f1 1 f2 0 by 1%")
    assert len(dialogue.navigator.records) == 2


def test_a_rejected_step_is_shown_and_refused(dialogue, say, written, monkeypatch):
    navigator = dialogue.navigator
    take = navigator.step

    def reject(*arguments, **options):
        step = take(*arguments, **options)
        navigator.undo()
        return dataclasses.replace(step, status=StepStatus.REJECTED, reason="f1 did not improve")

    monkeypatch.setattr(navigator, "step", reject)
    with pytest.raises(
        RefusedError, match="taken back: f1 did not improve; the model is still that of point 0"
    ):
        say("improve f1")
    assert "Rejected: f1 did not improve." in written()
    assert "achieved" in written()


def test_shortened_steps_say_why(dialogue, say, written, monkeypatch):
    take = dialogue.navigator.step
    monkeypatch.setattr(
        dialogue.navigator,
        "step",
        lambda *a, **k: dataclasses.replace(
            take(*a, **k), status=StepStatus.SHORTENED, reason="half is enough"
        ),
    )
    say("improve f1")
    assert "Shortened: half is enough." in written()


def test_help_lists_every_command(say, written):
    say("help")
    for verb in (
        "improve",
        "direction",
        "preview",
        "hold",
        "release",
        "undo",
        "go",
        "points",
        "compare",
        "note",
        "star",
        "plot",
        "export",
    ):
        assert verb in written()


def test_points_have_names_by_which_they_are_gone_to(dialogue, say, written):
    say(
        "improve f1 by 2%; name  the fair one; title Three goals; go 0; improve f2 by 2%; compare 'The FAIR one' 2"
    )
    session = dialogue.navigator.session
    assert (session[1].name, session.title) == ("the fair one", "Three goals")
    assert "Point 1 is called 'the fair one'." in written()
    assert re.search(r"point 1 .*\n.*the fair one +point 2", written())
    say("go 'the fair one'")
    assert dialogue.navigator.here.id == 1
    assert "Point 1 'the fair one' (" in written()
    say("points")
    assert "'the fair one'" in written().split("Point 1 'the fair one'")[-1]
    say("prefer 2 to 'the fair one' by 1%")
    with pytest.raises(RefusedError, match="no point is called 'teh fair one'; points lists them"):
        say("go 'teh fair one'")
    with pytest.raises(pn.SessionError, match="point 1 is called 'the fair one' already"):
        say("name The fair one")
    say("go 1; name")
    assert session[1].name == ""
    assert "Point 1 has no name." in written()
