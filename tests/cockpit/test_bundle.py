"""The view's modules, joined: the same meaning in one file, and everything else refused by name."""

import base64
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paretonav.cockpit import assets
from paretonav.cockpit.bundle import BundleError, join_modules, join_styles, module_of, style_of
from paretonav.cockpit.ending import EXPORT
from paretonav.cockpit.javascript import JavaScriptError, tokens, without_comments

INDEX = "export default { render };\nfunction render() { return 1; }\n"


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    yield page
    page.close()


def default_export(page: Any, module: str, get: str) -> Any:
    """What an expression of the module's default export ``x`` is in a browser."""
    url = "data:text/javascript;base64," + base64.b64encode(module.encode()).decode()
    return page.evaluate(
        f"async () => {{ const x = (await import({json.dumps(url)})).default; return {get}; }}"
    )


def test_modules_keep_their_meaning(page: Any) -> None:
    module = join_modules(
        {
            "index.js": 'import { total } from "./plots/sum.js";\n'
            "import {\n  one,\n  Counter,\n} from './parts.js';\n"
            "const hidden = 4; // the name of another in parts.js\n"
            "export default { render() { return [total(), one, hidden, new Counter().count()]; } };",
            "plots/sum.js": 'import { one, two, three } from "../parts.js";\n'
            "export { total };\nfunction total() { return one + two() + three; }",
            "parts.js": "const hidden = 2;\nexport const one = 1;\nexport function two() { return hidden; }\n"
            "export class Counter { count() { return 7; } }\nexport const three = 3;\n// the end",
        }
    )
    assert module.endswith(EXPORT)
    assert default_export(page, module, "x.render()") == [6, 1, 4, 7]


def test_what_looks_like_a_statement_but_is_none_stays(page: Any) -> None:
    source = r"""
export const text = "export const a = 1; ' ` { import x from 'y'";
export const other = 'it\'s ${"{" } "';
export const template = `a ${[1, `b ${"}"} \``].map((v) => `<${v}>`).join("/")} export default }`;
export const regex = /[/}"'`\]]\/(?:import|export) {3,}/giu.source;
export const ratio = (8) / 2 / [4][0] / { a: 1 }.a;
export const regexes = [/"/, /'/].map((r) => r.source).length / 2;
export async function later() { await null; return /`/.test("`"); }
export function* many() { yield /}/.source; }
let count = 0; count++ / 2; /* } export */ // ` "
export const keys = { import: 1, export: 2, default: 3, of: 4, from: 5, as: 6 };
export const sum = keys.import + keys?.export + keys.default;
"""
    names = ["text", "other", "template", "regex", "ratio", "regexes", "sum"]
    wanted = ", ".join(names)
    module = join_modules(
        {
            "index.js": f'import {{ {wanted}, later, many }} from "./a.js";\n'
            f"export default {{ values: [{wanted}], later, many }};",
            "a.js": source,
        }
    )
    assert default_export(page, module, "x.values") == [
        "export const a = 1; ' ` { import x from 'y'",
        'it\'s ${"{" } "',
        "a <1>/<b } `> export default }",
        r"""[/}"'`\]]\/(?:import|export) {3,}""",
        1,
        1,
        6,
    ]
    assert default_export(page, module, "[await x.later(), ...x.many()]") == [True, "}"]


def test_comments_that_have_lines_of_their_own_are_left_out(page: Any) -> None:
    source = r"""// of the file
/**
 * of a function; `unfinished
 */
export function f() { // beside code
  /* in a block */
  const text = `
// of a template ${[
    // in a value of one
    "/* of a string"].join()}
/* of a template, too */`;
  return [text, /[/*]\/\//.source, "// of a string"]; /* that goes on
// behind code */
}
export const last = 1;
// the end"""
    short = without_comments(source)
    for kept in (
        "beside code",
        "of a template",
        "of a string",
        "of a template, too",
        "that goes on",
        "behind code",
    ):
        assert kept in short
    for gone in ("of the file", "of a function", "unfinished", "in a block", "in a value of one", "the end"):
        assert gone not in short
    assert short.count("\n") == source.count("\n")  # what is left stays on its line
    assert without_comments(short) == short
    wanted = 'import { f, last } from "./a.js";\nexport default { f, last };'
    module = join_modules({"index.js": wanted, "a.js": source})
    assert "of a function" not in module
    assert default_export(page, module, "[x.f(), x.last]") == default_export(
        page, source + "\nexport default { f, last };", "[x.f(), x.last]"
    )


def test_the_view_without_comments_has_the_same_tokens() -> None:
    view = Path(assets.__file__).parent / "view"
    for path in view.rglob("*.js"):
        source = path.read_text("utf-8")
        short = without_comments(source)
        assert [token.text for token in tokens(short)] == [token.text for token in tokens(source)], path.name
        assert "\n/**" not in short, path.name


@given(st.data())
def test_any_acyclic_graph_of_modules_is_evaluated_in_order(data: Any) -> None:
    n = data.draw(st.integers(1, 7))
    folders = [data.draw(st.sampled_from(["", "plots/", "plots/deep/"])) for _ in range(n)]
    paths = ["index.js"] + [f"{folders[i]}m{i}.js" for i in range(1, n)]
    sources = {}
    for i, path in enumerate(paths):
        needed = data.draw(st.sets(st.integers(i + 1, n - 1))) if i + 1 < n else set()
        up = "../" * path.count("/") or "./"
        imports = "".join(f'import {{ v{j} }} from "{up}{paths[j]}";\n' for j in needed)
        end = (
            "export default { render };"
            if i == 0
            else f"export const v{i} = [{', '.join(f'v{j}' for j in needed)}];"
        )
        sources[path] = imports + "const shared = 1;\n" + end
    module = join_modules(sources)
    made = [line for line in module.splitlines() if line.startswith("const $module")]
    assert len(made) == len(set(made)) <= n
    for i, line in enumerate(module.splitlines()):
        if line.startswith("const {") and "} = $module" in line:
            source = line.split(" = ")[1].rstrip(";")
            assert any(before.startswith(f"const {source} =") for before in module.splitlines()[:i])


PIECES = st.sampled_from(
    [
        '"a\\"}"', "'`'", "`x${1}`", "`${`${{a: 1}.a}`}`", "/[/]}/u", "/* ` */", "// '\n", "a / b", "(1) / 2",
        "{ a: [1] }", "() => { return /}/; }", "x++ / 2", "1.5e3", "a?.b", "f(...c)", "#p", "`$`", "`$${1}$`", "é",
    ]
)  # fmt: skip


@given(st.lists(PIECES))
def test_every_character_is_in_one_token_or_between_them(pieces: list[str]) -> None:
    source = ";\n".join(pieces)
    end = 0
    for token in tokens(source):
        assert token.start >= end
        assert source[token.start : token.end] == token.text
        assert not source[end : token.start].strip() or "*/" in source[end : token.start] or "//" in source
        end = token.end
    separators = [token for token in tokens(source) if token.text == ";" and token.depth == 0]
    assert len(separators) == max(0, len(pieces) - 1)


@given(st.text(st.sampled_from("`${}()[]\"'/\\*;\n ai=,.")))
def test_nonsense_is_an_error_or_not_but_never_a_crash(source: str) -> None:
    with contextlib.suppress(BundleError):
        join_modules({"index.js": source + "\nexport default 1;"})


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ('import * as a from "./a.js";', 'line 1: write `import'),
        ('import a from "./a.js";', "line 1: write `import"),
        ('import "./a.js";', "line 1: write `import"),
        ('import { a as b } from "./a.js";', "cannot be renamed"),
        ('import { default as b } from "./a.js";', "give it a name"),
        ('\n\nimport { a } from "./b.js";', "line 3: there is no module b.js"),
        ('import { a } from "../a.js";', "there is no module"),
        ('import { a } from "react";', "'react' is no module of the view"),
        ('import { a } from "https://cdn.example/a.js";', "no module of the view"),
        ('import { b } from "./a.js";', "imports b from a.js, which does not export it"),
        ('import { a } from "./a.js"', "';' is missing"),
        ('import { a } from "./a.js" with { type: "json" };', "';' is missing"),
        ('import { a b } from "./a.js";', "a comma is missing"),
        ('import { "a" } from "./a.js";', "is no name"),
        ('import { a } from "./a.js";\nimport { a } from "./a.js";', "line 2: a is declared or imported twice"),
        ('import { a } from "./a.js";\nconst a = 2;', "line 2: a is declared or imported twice"),
        ("function f() {}\nclass f {}", "line 2: f is declared or imported twice"),
        ("const m = import('./a.js');", "are not supported"),
        ("function f() { return import.meta.url; }", "are not supported"),
        ("await 1;", "cannot wait"),
        ("export let b = 1;", "export a const"),
        ("let b = 1;\nexport { b };", "which can change"),
        ("export { b };", "which no statement of its own declares"),
        ("const b = 1;\nexport { b as c };", "cannot be renamed"),
        ("const b = 1;\nexport { b };\nexport { b };", "line 3: b is exported twice"),
        ('export { a } from "./a.js";', "what another module exports"),
        ('export * from "./a.js";', "export a const"),
        ("export const { b, c } = {};", "one name per statement"),
        ("export const b = 1, c = 2;", "one name per statement"),
        ("const $module0 = 1;", "those of the bundle"),
        ("export default 2;", "a second default"),
        ("const b = '", "line 1: this string has no end"),
        ("const b = `${1}", "this template has no end"),
        ("\n/* ", "line 2: this comment has no end"),
        ("const b = /[/]", "this regular expression has no end"),
        ("function f() {", "'{' is never closed"),
        ("f(]", "']' closes nothing"),
        ("export", "export a const"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_named(source: str, message: str) -> None:
    with pytest.raises(BundleError, match=r"index\.js") as caught:
        join_modules({"index.js": source + "\nexport default 1;", "a.js": "export const a = 1;"})
    assert message in str(caught.value)


def test_circles_and_missing_entries_are_named() -> None:
    with pytest.raises(BundleError, match=r"a\.js imports b\.js imports a\.js: break that circle"):
        join_modules(
            {
                "index.js": 'import { a } from "./a.js";' + INDEX,
                "a.js": 'import { b } from "./b.js";\nexport const a = 1;',
                "b.js": 'import { a } from "./a.js";\nexport const b = 1;',
            }
        )
    with pytest.raises(BundleError, match=r"no index\.js"):
        join_modules({})
    with pytest.raises(BundleError, match="no default export"):
        join_modules({"index.js": "export const a = 1;"})
    with pytest.raises(BundleError, match="only the entry"):
        join_modules({"index.js": 'import { a } from "./a.js";' + INDEX, "a.js": "export default 1;"})


def test_an_error_of_the_language_says_where() -> None:
    with pytest.raises(JavaScriptError) as caught:
        list(tokens("a; '"))
    assert caught.value.position == 3


def test_style_sheets_are_joined(tmp_path: Path) -> None:
    (tmp_path / "plots").mkdir()
    (tmp_path / "style.css").write_text(".a { color: red; }\r\n", newline="")
    (tmp_path / "plots" / "plots.css").write_text("\ufeff.b::after { content: 'é'; }", encoding="utf-8")
    assert (
        style_of(tmp_path)
        == "/* style.css */\n.a { color: red; }\n\n/* plots/plots.css */\n.b::after { content: 'é'; }\n"
    )
    with pytest.raises(BundleError, match=r"b\.css"):
        join_styles({"style.css": "", "b.css": "/* x */ @import 'c.css';"})


def test_a_folder_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text(INDEX)
    assert module_of(tmp_path) == join_modules({"index.js": INDEX})
    (tmp_path / "index.js").write_bytes(b"\xff")
    with pytest.raises(BundleError, match="UTF-8"):
        module_of(tmp_path)
