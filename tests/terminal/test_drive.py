import pytest

from paretonav.terminal.drive import Piped, ScriptError, asking, run_prompt, run_script
from paretonav.terminal.parser import parse


class Typist:
    """Answers prompts from a list; an exception in it is raised; at its end the input ends."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.prompts = []

    def __call__(self, prompt):
        self.prompts.append(prompt.strip())
        answer = self.answers.pop(0) if self.answers else EOFError()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def converse(dialogue, *answers):
    typist = Typist(*answers)
    dialogue.ask = asking(typist, dialogue.console)
    run_prompt(dialogue, typist)
    return typist


def test_a_conversation(dialogue, written):
    typist = converse(dialogue, "hold f2", "improve f1", "perhaps", "y", "improve f3", "n", "quit", "undo")
    assert typist.prompts == [
        "point 0>",
        "point 0 (holding f2)>",
        *["Take this step? [y/n]"] * 2,
        "point 1 (holding f2)>",
        "Take this step? [y/n]",
        "point 1 (holding f2)>",
    ]
    assert "Please answer y or n." in written()
    assert len(dialogue.navigator.records) == 2


@pytest.mark.parametrize("end", [EOFError(), KeyboardInterrupt()])
def test_the_end_of_input_and_ctrl_c_leave_politely(dialogue, end):
    converse(dialogue, "undo", end)


def test_ctrl_c_at_the_prompt_loses_nothing(dialogue, written):
    typist = converse(dialogue, "improve f1", "y", KeyboardInterrupt(), "points", KeyboardInterrupt(), "undo")
    assert "its 2 points are in memory only, and are lost then" in written().replace("\n", " ")
    assert len(typist.prompts) == 7  # up to the end of the input
    assert dialogue.navigator.here.id == 0
    typist = converse(dialogue, KeyboardInterrupt(), KeyboardInterrupt(), "improve f1", "y")
    assert len(typist.answers) == 2


def test_what_is_kept_on_a_disk_is_not_lost(dialogue, written, monkeypatch):
    monkeypatch.setattr(dialogue.navigator.session, "path", "kept", raising=False)
    converse(dialogue, KeyboardInterrupt(), EOFError())
    assert "Ctrl-C again, or quit, ends" in written()
    assert "lost" not in written()


def piped(dialogue, *lines):
    typist = Typist(*lines)
    source = Piped(typist, dialogue.console)
    dialogue.ask = source.ask
    return run_prompt(dialogue, source.read) and source.understood


def test_a_piped_command_is_no_answer(dialogue, written):
    assert piped(dialogue, "improve f1", "improve f2", "n", "improve f3", "perhaps", "y", "improve f1")
    assert len(dialogue.navigator.records) == 4
    assert written().count("Please answer y or n.") == 1


def test_what_is_no_answer_takes_no_step(dialogue):
    assert not piped(dialogue, "improve f1", "perhaps")
    assert len(dialogue.navigator.records) == 1


def test_ctrl_c_takes_no_step_that_was_piped_in(dialogue):
    assert piped(dialogue, "improve f1", KeyboardInterrupt(), EOFError())
    assert len(dialogue.navigator.records) == 1


def test_help_of_one_command(dialogue, written):
    converse(dialogue, "help improve", "help ?", "help imporve")
    assert "improve NAME" in written()
    assert "did you mean improve?" in written().replace("\n", " ")


@pytest.mark.parametrize("end", [EOFError(), KeyboardInterrupt()])
def test_no_answer_is_a_no(dialogue, end):
    converse(dialogue, "improve f1", end)
    assert len(dialogue.navigator.records) == 1


def test_mistakes_are_explained_and_the_conversation_goes_on(dialogue, written):
    converse(dialogue, "imporve f1", "improve f1 by 99%", "undo", "'", "improve f1 by 2%", "yes")
    for says in ("did you mean improve?", "not possible here", "nothing to undo", "is not closed"):
        assert says in written().replace("\n", " ")
    assert len(dialogue.navigator.records) == 2


def test_a_line_may_have_several_commands_and_nothing_is_done_if_one_is_wrong(dialogue):
    converse(dialogue, "hold f1; hold f9")
    assert dialogue.held == ()
    converse(dialogue, "hold f1; hold f2")
    assert dialogue.held == ("f1", "f2")


def test_ctrl_c_during_a_step_returns_to_the_prompt(dialogue, written, monkeypatch):
    problem = dialogue.navigator.problem
    before = problem.parameters()

    def interrupted(*_, **__):
        problem.set_parameters(0 * before)
        raise KeyboardInterrupt

    monkeypatch.setattr(dialogue.navigator, "step", interrupted)
    typist = converse(dialogue, "improve f1", "y", "points")
    assert "Interrupted; the model is that of point 0." in written()
    assert typist.prompts[-1] == "point 0>"
    assert problem.parameters().equal(before)


def test_a_script_stops_where_it_fails_and_names_the_command(dialogue, written):
    commands = parse("hold f2; improve f1 by 99%; release", dialogue.navigator.problem.names)
    with pytest.raises(
        ScriptError, match=r"command 2 \(improve f1 by 99%\) failed: 99% is not possible here"
    ):
        run_script(dialogue, commands)
    assert dialogue.held == ("f2",)
    assert "> hold f2" in written()


def test_quit_ends_a_script(dialogue):
    run_script(dialogue, parse("quit; undo", dialogue.navigator.problem.names))
