"""Names that are read from the right keep their places in sentences, and nothing else is touched."""

import json
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.cockpit.watching import Watcher

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.isolated import isolating

HEBREW, OTHER = "\u05d4\u05d5\u05d2\u05df", "\u05de\u05db\u05d5\u05dc\u05dd"
ARABIC = "\u0633\u0631\u0639\u0629"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="ab" + HEBREW, max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["asked", "words", "name", "title", "options", "x"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


def without(text: str) -> str:
    return text.replace("\u2068", "").replace("\u2069", "")


def test_names_from_the_left_change_nothing() -> None:
    assert isolating(["a", "left loss", "\u4e2d\u6587"]) is None


@given(json_values)
def test_only_isolates_are_added_and_only_in_sentences(value: object) -> None:
    told = isolating([HEBREW[:2], HEBREW])
    assert told is not None
    assert without(json.dumps(told(value), ensure_ascii=False)) == json.dumps(value, ensure_ascii=False)
    assert told({"name": HEBREW, HEBREW: {"mode": HEBREW}}) == {"name": HEBREW, HEBREW: {"mode": HEBREW}}


def test_each_name_of_a_list_is_set_apart() -> None:
    told = isolating([HEBREW, f"{HEBREW} {OTHER}", "b"])
    assert told is not None
    said = {
        "asked": [f"improve {HEBREW} {OTHER}, {HEBREW} and b"],
        "options": [{"title": HEBREW}],
        "title": HEBREW,
    }
    isolate = "\u2068{}\u2069".format
    assert told(said) == {
        "asked": [f"improve {isolate(f'{HEBREW} {OTHER}')}, {isolate(HEBREW)} and b"],
        "options": [{"title": isolate(HEBREW)}],
        "title": HEBREW,
    }


@pytest.fixture
def view() -> Iterator[Watcher]:
    places = torch.tensor([1.0, 0.0, -1.0], dtype=torch.float64)
    problem = pn.FunctionProblem(
        lambda x: ((x - places[:, None]) ** 2).sum(1) + 0.1,
        torch.zeros(3, dtype=torch.float64),
        names=[HEBREW, ARABIC, "c"],
    )
    controller = Controller(pn.Navigator(problem))
    view = Watcher(controller)
    view.do("start")
    yield view
    controller.close()


def test_what_is_published_has_them(view: Watcher) -> None:
    outlook = view.steer({HEBREW: {"mode": "improve", "percent": 1}, ARABIC: {"mode": "hold"}})
    assert list(outlook["modes"]) == [HEBREW, ARABIC]
    assert f"\u2068{HEBREW}\u2069" in outlook["asked"]
    state = view.controller.values()["state"]
    assert isinstance(state, dict)
    assert [quantity["name"] for quantity in state["quantities"]] == [HEBREW, ARABIC, "c"]
    assert f"\u2068{ARABIC}\u2069" in state["quantities"][0]["price"]
    assert (
        view.do("step", steer={"point": 0, "modes": {HEBREW: {"mode": "improve", "percent": 1}}})["status"]
        == "done"
    )
    assert view.controller.navigator.records[1].preference == pn.Improve({HEBREW: 1.0})
    assert f"\u2068{HEBREW}\u2069" in view.controller.values()["points"]["asked"][1]  # type: ignore[index]
