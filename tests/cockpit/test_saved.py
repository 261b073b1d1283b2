"""The saved page: whole, offline, and deaf to what hostile names would like to be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cockpit.looking import is_usable, until
from tests.cockpit.watching import PATIENCE

import paretonav as pn
from paretonav.cockpit.controller import Controller
from paretonav.cockpit.saved import page, save
from paretonav.errors import NavigationError, SessionError

HOSTILE = [
    "</script><script>window.broken = 1</script>",
    "<!-- <script>",
    "]]> --> \u2028\u2029 \ud800 é 日本",
    "</title><img src=x onerror='window.broken = 1'>",
    "\"'\\`${window.broken = 1}&lt;&amp;",
    "__proto__",
    "{title}%s",
]


def until_drawn(page: Any) -> None:
    """Wait for the view; Playwright's wait for a condition is what the page's policy forbids."""
    until(page, "document.querySelector('main').childNodes.length")


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Shows a controller's saved page from a file, offline; fails on anything that the browser complains of."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []

    def show(controller: Any) -> Any:
        path = tmp_path / "choice.html"
        save(controller, path)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request", lambda request: complaints.append(request.url) if "choice" not in request.url else None
        )
        page.goto(path.as_uri())
        until_drawn(page)
        return page

    yield show
    context.close()
    assert complaints == []


@pytest.mark.usefixtures("small_view")
def test_it_shows_what_was_to_be_seen(controller: Any, shown: Any) -> None:
    controller.now["outlook"] = {"point": 0, "seq": 3, "exact": {"train": [1]}}
    controller.now["job"] = {"id": 4, "status": "running"}
    page = shown(controller)
    assert page.title() == "a title"
    main = page.locator("main")
    assert main.text_content() == "a title: a, b </SCRIPT> <!-- <script>"
    assert main.evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert main.evaluate("e => getComputedStyle(e, '::after').content") == '"</style>"'
    assert json.loads(main.get_attribute("data-outlook"))["exact"] == {"train": [1]}
    assert json.loads(main.get_attribute("data-job"))["status"] == "idle"


@pytest.mark.usefixtures("small_view")
def test_hostile_names_stay_text(controller: Any, shown: Any) -> None:
    controller.now["state"] |= {
        "title": HOSTILE[0] + HOSTILE[3],
        "quantities": [{"name": name, "better": "lower"} for name in HOSTILE],
    }
    modes = [[name, "improve"] for name in HOSTILE]
    controller.saved = {json.dumps(modes): {"asked": HOSTILE[0], "map": {"found": 1}}}
    page = shown(controller)
    assert page.title() == HOSTILE[0] + HOSTILE[3]
    title, names = HOSTILE[0] + HOSTILE[3], ", ".join(HOSTILE)
    # A lone half of a pair is replaced on the way out of the browser.
    text = page.locator("main").evaluate("e => JSON.stringify(e.textContent)")
    assert json.loads(text) == f"{title}: {names} </SCRIPT> <!-- <script>"
    assert page.evaluate("window.broken") is None
    until(page, lambda: page.locator("script").count() == 2)
    until(page, lambda: page.locator("img").count() == 0)
    asked = {name: {"mode": "improve", "percent": 1} for name in HOSTILE if name != "__proto__"}
    literal = json.dumps(asked)[:-1] + ', ["__proto__"]: { mode: "improve" } }'
    page.evaluate(f"window.say('steer', {{ by: 'x', seq: 1, point: 0, modes: {literal} }})")
    outlook = json.loads(page.locator("main").get_attribute("data-outlook"))
    assert outlook["map"] == {"found": 1}


@pytest.mark.usefixtures("small_view")
def test_what_if_is_answered_and_requests_are_not(controller: Any, shown: Any) -> None:
    known = {
        "asked": "",
        "problem": "",
        "inputs": [1],
        "reach": [None, {"end": 5, "reason": "r"}],
        "map": {"m": 1},
    }
    controller.saved = {
        json.dumps([["b", "improve"]]): known | {"exact": {"never": 1}},
        json.dumps([["a", "hold"], ["b", "improve"]], separators=(",", ":")): known | {"map": {"m": 2}},
    }
    alone = [None, {"end": 4, "reason": "r"}]
    controller.now["outlook"] = {"point": 0, "modes": {}, "alone": alone}
    page = shown(controller)

    def outlook(seq: int, modes: dict[str, Any], point: int = 0) -> Any:
        page.evaluate("m => window.say('steer', m)", {"by": "x", "seq": seq, "point": point, "modes": modes})
        return json.loads(page.locator("main").get_attribute("data-outlook"))

    improve = {"mode": "improve", "percent": 3}
    assert outlook(1, {"b": improve}) == known | {
        "by": "x",
        "seq": 1,
        "point": 0,
        "modes": {"b": improve},
        "exact": None,
        "alone": alone,  # of the point, whatever is asked for
    }
    assert outlook(2, {"b": improve, "a": {"mode": "hold"}})["map"] == {"m": 2}
    assert outlook(3, {"b": improve, "a": {"mode": "free"}})["map"] == {"m": 1}
    assert "no answer" in outlook(4, {"a": improve})["problem"]
    nothing = outlook(5, {})
    assert (nothing["problem"], nothing["map"], nothing["seq"]) == ("", None, 5)
    assert outlook(6, {"b": improve}, point=1)["seq"] == 5  # of another point: not answered
    page.evaluate("window.say('request', { by: 'x', seq: 7, cmd: 'step' })")
    job = json.loads(page.locator("main").get_attribute("data-job"))
    assert (job["status"], job["seq"]) == ("refused", 7)
    assert "saved page" in job["message"]


@pytest.mark.usefixtures("small_view")
def test_the_state_is_that_of_a_page_without_python(controller: Any) -> None:
    controller.now["steer"] = {"point": 1}
    text = page(controller)
    data = json.loads(text.split('id="saved">')[1].split("</script>")[0])
    state = data["traits"]["state"]
    assert (state["live"], state["writable"], state["downloads"]) == (False, False, "")
    assert "steps need" in state["why_not"]
    assert data["traits"]["steer"] is None  # of another point
    assert controller.now["state"]["live"]


@pytest.mark.usefixtures("small_view")
def test_nothing_half_is_written(controller: Any, tmp_path: Path) -> None:
    path = tmp_path / "choice.html"
    path.write_text("before")
    controller.now["state"] = controller.now["state"] | {"current": None}
    with pytest.raises(NavigationError, match="start"):
        save(controller, path)
    controller.now["state"] = None
    with pytest.raises(NavigationError, match="start"):
        save(controller, path)
    assert path.read_text() == "before"
    with pytest.raises(SessionError, match=r"ends in \.html"):
        save(controller, tmp_path / "choice")


@pytest.mark.usefixtures("small_view")
def test_scripts_run_by_their_hash_only(controller: Any, shown: Any, browser: Any) -> None:
    policy = shown(controller).locator("meta[http-equiv]").get_attribute("content")
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 2
    changed = browser.new_page()
    changed.set_content(
        page(controller).replace("<main>", "<script>window.broken = 1</script><main onclick='x'>")
    )
    until_drawn(changed)
    assert changed.evaluate("window.broken") is None
    changed.close()


def test_the_real_view_in_a_saved_page(shown: Any) -> None:
    nav = pn.Navigator(pn.problems.quadratic(n=10, m=3))
    nav.start()
    nav.step(pn.Improve({"f1": 1.0}), 0.05)
    controller = Controller(nav, HOSTILE[0])
    try:
        page = shown(controller)
    finally:
        controller.close()
    page.get_by_text("Accepted").first.wait_for()  # the last step
    until(page, lambda: page.get_by_role("button", name="Step").count() == 0)
    page.get_by_label("What to ask of f1", exact=True).select_option("improve")
    slider = page.get_by_role("slider").first
    until(page, lambda: is_usable(slider))
    slider.focus()
    before = float(slider.input_value())
    page.keyboard.press("ArrowRight")
    until(page, lambda: float(slider.input_value()) > before)
    page.get_by_text("better →").first.wait_for()  # what is predicted
    assert page.evaluate("window.broken") is None
