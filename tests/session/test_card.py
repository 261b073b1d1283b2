"""The model card says what happened, and what people wrote stays words."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from safetensors.torch import load_file

import paretonav as pn
from paretonav.session.markdown import escaped, quote
from paretonav.text import change, percent, value

HOSTILE = ("<script>alert(1)</script>|*a*", "[b](javascript:alert(1))\n# head")
"""Names in which HTML, tables, emphasis, links and headings hide."""


def rendered(text: str) -> str:
    """As HTML, by the rules of CommonMark with tables, HTML let through."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_what_was_traded_since_the_start(walked: pn.Session) -> None:
    card = walked.card()
    assert card.startswith("# Model card: point 3 of a Pareto navigation")
    assert "in 2 steps from the first one (points 0 → 1 → 3)" in card
    for d in walked.compare(0, 3):
        first = d.value - d.change
        cells = [value(first, first), value(d.value, first), change(d.change, first)]
        assert " | ".join(cells) in card
        assert f"± {value(d.standard_error, first)}" in card
    gained = next(d for d in walked.compare(0, 3) if (d.split, d.name) == ("validation", "b"))
    assert gained.better
    assert re.search(r"Since the start, on validation data: better: [^;]*b \(-[\d.]+%\)", card)


def test_every_step_of_the_way_and_no_other(walked: pn.Session) -> None:
    card = walked.card(3)
    assert re.findall(r"### From point (\d) to point (\d)", card) == [("0", "1"), ("1", "3")]
    assert "Asked for: improve a by 3%. The step was accepted" in card
    achieved, predicted = walked[3].achieved.validation, walked[3].predicted.validation
    there = walked[1].validation["b"]
    row = f"| b, validation loss | {change(walked[3].requested.shown['b'], there)} | {change(predicted['b'], there)} | "
    row += f"{change(achieved['b'], there)} | ± {value(achieved.standard_errors['b'], there)} |"
    assert row in card
    predicted = walked[3].predicted.train["b"]
    beside = f"| b, training loss |  | {change(predicted, walked[1].losses['b'])} | "  # not asked for
    assert card.index(row) < card.index(beside)


def test_on_which_data_at_which_cost_by_which_software(walked: pn.Session) -> None:
    card = walked.card()
    assert "Training data (16 batches)" in card
    assert "Validation data (12 batches): losses and metrics" in card
    assert "the steps were planned on its losses" in card
    assert "the steps were made for them, so they flatter the chosen model" in card
    assert "Test data were never used" in card
    products = sum(record.cost.hessian_products for record in walked.path_to(3))
    assert f"{products} Hessian-vector products" in card
    assert re.search(r"PyTorch \d+\.\d+.* and Python 3\.\d+", card)
    for name, verdict in walked.point(3).conflict.items():
        assert f"- improving {name}: {escaped(verdict.reason)}" in card


def test_a_held_model_has_no_joint_gain_and_says_what_holds_it(walked: pn.Session) -> None:
    card, first = walked.card(3), walked.card(0)
    assert "## Where it stands\n" in card
    assert "on the front" not in card
    assert "still fall" not in card
    anchor = walked.point(3).anchor
    assert f"held where it is, by a pull of {percent(anchor.part)} of the largest curvature" in card
    assert f"largest curvature: {walked.point(0).anchor.reason}." in first
    assert "It was trained on a weighted sum of the losses" in card


def test_the_first_point_has_traded_nothing(walked: pn.Session) -> None:
    card = walked.card(0)
    assert "first point of 4" in card
    assert "## Losses" in card
    assert "What was traded" not in card


def test_a_function_has_neither_batches_nor_validation_data() -> None:
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2))
    navigator.start()
    navigator.step(pn.Improve({"f1": 1.0}), 0.02)
    card = navigator.session.card()
    assert "better: f1 (-2.0%); worse: f2" in card
    assert "No validation data were given" in card


def test_hostile_names_and_notes_stay_words(walk_with: Callable[[tuple[str, str]], pn.Session]) -> None:
    session = walk_with(HOSTILE)
    session.note(3, "<img src=x onerror=alert(1)>\n- item\n1. one\n===\n```\ncode & $x$")
    html = rendered(session.card())
    assert set(re.findall(r"<(\w+)", html)) <= {
        *["h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "blockquote", "br"]
    }
    assert "&lt;script&gt;alert(1)&lt;/script&gt;|*a*" in html
    assert "[b](javascript:alert(1))\\n# head" in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    for table in re.findall(r"<table>.*?</table>", html, flags=re.S):
        cells = {len(re.findall(r"<t[hd]", row)) for row in re.findall(r"<tr>.*?</tr>", table, flags=re.S)}
        assert len(cells) == 1


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs", "Cn", "Co"]), min_size=1)
)
def test_escaped_text_reads_as_it_was(text: str) -> None:
    shown = "".join(ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in text)
    for line, tag in ((f"- {escaped('x' + text)}", "ul"), ("\n".join(quote(text)), "blockquote")):
        html = rendered(line)
        assert html.startswith(f"<{tag}>")
        plain = re.sub(r"<[^>]+>", "", html)
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
            plain = plain.replace(entity, character)
        assert plain.strip() == ("x" + shown if tag == "ul" else shown)


def test_a_card_beside_the_model(tmp_path: Path) -> None:
    navigator = pn.Navigator(pn.problems.quadratic(n=5, m=2), session=tmp_path / "session")
    navigator.start()
    navigator.export(tmp_path / "plain.safetensors")
    assert not (tmp_path / "plain.md").exists()
    navigator.export(tmp_path / "chosen.safetensors", card=True)
    assert load_file(tmp_path / "chosen.safetensors")["x"].shape == (5,)
    assert (tmp_path / "chosen.md").read_text("utf-8") == navigator.session.card()


def test_there_must_be_a_point() -> None:
    with pytest.raises(pn.SessionError, match="no point yet"):
        pn.Session().card()


def test_missing_standard_errors_are_said(walked: pn.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Nobody knows" not in walked.card()
    monkeypatch.setattr("paretonav.session.card.unsure", lambda _: "Nobody knows.")
    assert "- Nobody knows." in walked.card()
