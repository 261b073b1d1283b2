import pytest

from paretonav.terminal.drive import ScriptError, asking, run_prompt, run_script
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


def converse(session, *answers):
    typist = Typist(*answers)
    session._ask = asking(typist, session.console)
    run_prompt(session, typist)
    return typist


def test_a_conversation(session, written):
    typist = converse(session, "hold f2", "improve f1", "perhaps", "y", "improve f3", "n", "quit", "undo")
    assert typist.prompts == [
        "point 0>",
        "point 0 (holding f2)>",
        *["Take this step? [y/n]"] * 2,
        "point 1 (holding f2)>",
        "Take this step? [y/n]",
        "point 1 (holding f2)>",
    ]
    assert "Please answer y or n." in written()
    assert len(session.navigator.points) == 2


@pytest.mark.parametrize("end", [EOFError(), KeyboardInterrupt()])
def test_the_end_of_input_and_ctrl_c_leave_politely(session, end):
    converse(session, "undo", end)


@pytest.mark.parametrize("end", [EOFError(), KeyboardInterrupt()])
def test_no_answer_is_a_no(session, end):
    converse(session, "improve f1", end)
    assert len(session.navigator.points) == 1


def test_mistakes_are_explained_and_the_conversation_goes_on(session, written):
    converse(session, "imporve f1", "improve f1 by 99%", "undo", "'", "improve f1 by 2%", "yes")
    for says in ("did you mean improve?", "not possible here", "nothing to undo", "is not closed"):
        assert says in written().replace("\n", " ")
    assert len(session.navigator.points) == 2


def test_a_line_may_have_several_commands_and_nothing_is_done_if_one_is_wrong(session):
    converse(session, "hold f1; hold f9")
    assert session.held == ()
    converse(session, "hold f1; hold f2")
    assert session.held == ("f1", "f2")


def test_ctrl_c_during_a_step_returns_to_the_prompt(session, written, monkeypatch):
    problem = session.navigator.problem
    before = problem.parameters()

    def interrupted(*_):
        problem.set_parameters(0 * before)
        raise KeyboardInterrupt

    monkeypatch.setattr(session.navigator, "step", interrupted)
    typist = converse(session, "improve f1", "y", "points")
    assert "Interrupted; the model is that of point 0." in written()
    assert typist.prompts[-1] == "point 0>"
    assert problem.parameters().equal(before)


def test_a_script_stops_where_it_fails_and_names_the_command(session, written):
    commands = parse("hold f2; improve f1 by 99%; release", session.navigator.problem.names)
    with pytest.raises(
        ScriptError, match=r"command 2 \(improve f1 by 99%\) failed: 99% is not possible here"
    ):
        run_script(session, commands)
    assert session.held == ("f2",)
    assert "> hold f2" in written()


def test_quit_ends_a_script(session):
    run_script(session, parse("quit; undo", session.navigator.problem.names))
