"""Join the view's modules into one, and its style sheets into another: no other tool is needed to build it.

Each module becomes a function that is called once and returns what it exports, so its other names stay its own. That
is possible for a small part of the language of modules, to which the view keeps: named imports, each in a statement of
its own, and named exports; the entry alone has a default export. Anything else is refused by name.

Imports nothing but the standard library: the build of a wheel loads this file without installing the package. A
wheel has what this made instead of it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# Relative, as the build of a wheel has these files only (hatch_build.py).
from .ending import EXPORT
from .javascript import JavaScriptError, Token, tokens, without_comments

ENTRY = "index.js"
STYLE = "style.css"

_NAME = re.compile(r"[^\W\d][\w$]*|\$[\w$]*")
_AT_RULES = re.compile(r"(?>/\*[\s\S]*?\*/|\s)*+@(?:import|charset|namespace)\b", re.IGNORECASE)


class BundleError(ValueError):
    """The modules cannot be joined; the message has the file, the line, and what to write instead."""


class _Module(NamedTuple):
    """A module, taken apart.

    Attributes:
        imports: path -> names, in the order of the statements.
        exports: names, "default" for that.
        body: the code without these statements and without comments that have lines of their own, on the same lines.
    """

    imports: dict[str, list[str]]
    exports: list[str]
    body: str


def module_of(folder: Path) -> str:
    """The modules of a folder as one ES module with the entry's default export.

    Raises:
        BundleError: they are not what this can join.
        OSError: one cannot be read.
    """
    return join_modules({name: _read(folder / name) for name in _files(folder, ".js")})


def style_of(folder: Path) -> str:
    """The style sheets of a folder as one: ``style.css``, then the others by name.

    Raises:
        BundleError: one of them has a rule that counts only at the beginning of a sheet.
        OSError: one cannot be read.
    """
    return join_styles({name: _read(folder / name) for name in _files(folder, ".css")})


def join_modules(sources: Mapping[str, str], entry: str = ENTRY) -> str:
    """The same of sources by their paths, with "/"."""
    if entry not in sources:
        raise BundleError(f"there is no {entry}, where the view begins")
    parsed: dict[str, _Module] = {}
    order = _in_order(sources, entry, parsed)
    names = {path: f"$module{i}" for i, path in enumerate(order)}
    if "default" not in parsed[entry].exports:
        raise BundleError(f"{entry} has no default export; write `export default {{ render }};`")
    parts = ["// Made by paretonav.cockpit.bundle; change the modules that it names instead.\n"]
    for path in order:
        module = parsed[path]
        for target, wanted in module.imports.items():
            for name in wanted:
                if name not in parsed[target].exports:
                    raise BundleError(f"{path} imports {name} from {target}, which does not export it")
        head = "".join(
            f"const {{ {', '.join(wanted)} }} = {names[target]};\n"
            for target, wanted in module.imports.items()
            if wanted
        )
        shared = ", ".join("default: $default" if name == "default" else name for name in module.exports)
        # A line break before the end, as a module may end with a comment.
        parts.append(
            f"// {path}\nconst {names[path]} = (() => {{\n{head}{module.body}\nreturn {{ {shared} }};\n}})();\n"
        )
    return "\n".join(parts) + f"\nconst $view = {names[entry]}.default;\n{EXPORT}"


def join_styles(sources: Mapping[str, str]) -> str:
    """The same of style sheets by their paths."""
    parts = []
    for path in sorted(sources, key=lambda path: (path != STYLE, path)):
        if _AT_RULES.match(sources[path]):
            raise BundleError(
                f"{path} begins with a rule that only the first of joined sheets may have; leave it out"
            )
        parts.append(f"/* {path} */\n{sources[path].strip()}\n")
    return "\n".join(parts)


def _files(folder: Path, ending: str) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*{ending}"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # universal newlines: the same bundle from every checkout
    except UnicodeDecodeError as error:
        raise BundleError(f"{path} is not in UTF-8") from error


def _in_order(sources: Mapping[str, str], entry: str, parsed: dict[str, _Module]) -> list[str]:
    """What the entry needs, and it: each module after those that it imports from. They are put into ``parsed``."""
    order: list[str] = []
    trail: list[str] = []

    def visit(path: str) -> None:
        if path in trail:
            raise BundleError(f"{' imports '.join([*trail[trail.index(path) :], path])}: break that circle")
        if path in parsed:
            return
        parsed[path] = _parsed(path, sources[path], sources, is_entry=path == entry)
        trail.append(path)
        for target in parsed[path].imports:
            visit(target)
        trail.pop()
        order.append(path)

    visit(entry)
    return order


def _parsed(path: str, source: str, sources: Mapping[str, str], *, is_entry: bool) -> _Module:
    try:
        return _Parser(path, source, sources, is_entry=is_entry).parse()
    except JavaScriptError as error:
        line = source.count("\n", 0, error.position) + 1
        raise BundleError(f"{path}, line {line}: {error}") from error


class _Parser:
    """Takes one module apart."""

    def __init__(self, path: str, source: str, sources: Mapping[str, str], *, is_entry: bool) -> None:
        self.path, self.source = path, without_comments(source)
        self.sources, self.is_entry = sources, is_entry
        self.tokens = list(tokens(self.source))
        self.at = 0
        self.imports: dict[str, list[str]] = {}
        self.exports: list[str] = []
        self.declared: dict[str, str] = {}  # name -> keyword
        self.cuts: list[tuple[int, int, str]] = []  # from, to, what takes its place

    def parse(self) -> _Module:
        before: Token | None = None
        while (token := self._next()) is not None:
            is_word = token.kind == "name" and (before is None or before.text not in (".", "?."))
            # Elsewhere `import` and `export` can only be names of properties, but for dynamic imports.
            if is_word and token.text == "import" and (self._peek() in ("(", ".") or not token.depth):
                self._import(token)
                before = None
            elif is_word and token.depth == 0 and token.text == "export":
                self._export(token)
                before = None
            elif is_word and token.depth == 0 and token.text == "await":
                raise self._wrong(token, "a module cannot wait at its top level; wait in a function")
            else:
                if is_word and token.depth == 0:
                    self._declaration(token)
                before = token
        for name in self.exports:
            if name != "default" and name not in self.declared:
                raise BundleError(f"{self.path} exports {name}, which no statement of its own declares")
            # A function returns what they are now, not what they will be.
            if self.declared.get(name) in ("let", "var"):
                raise BundleError(f"{self.path} exports {name}, which can change; export a const")
        body, behind = [], 0
        for start, end, text in self.cuts:
            kept_lines = "\n" * self.source.count("\n", start, end)
            body += [self.source[behind:start], text, kept_lines]
            behind = end
        return _Module(self.imports, self.exports, "".join(body) + self.source[behind:])

    def _import(self, start: Token) -> None:
        if self._peek() in ("(", "."):
            raise self._wrong(start, "`import(...)` and `import.meta` are not supported")
        if self._peek() != "{":
            raise self._wrong(
                start, 'write `import { a, b } from "./x.js";`, the only form that is supported'
            )
        names = self._names("imports")
        self._expect("from", start)
        target = self._next()
        if target is None or target.kind != "string":
            raise self._wrong(start, "there is no file name behind `from`")
        end = self._expect(";", start)
        written = target.text[1:-1]
        if not written.startswith(("./", "../")):
            raise self._wrong(
                target, f"{written!r} is no module of the view; write a path that begins with ./ or ../"
            )
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), written))
        if path not in self.sources:
            raise self._wrong(target, f"there is no module {path}")
        for name in names:
            self._declare(name, "import")
        self.imports.setdefault(path, []).extend(name.text for name in names)
        self.cuts.append((start.start, end.end, ""))

    def _export(self, start: Token) -> None:
        following = self._next()
        if following is None:
            raise self._wrong(start, "nothing is exported here")
        if following.text == "default":
            if not self.is_entry:
                raise self._wrong(start, "only the entry has a default export; export it by its name")
            if "default" in self.exports:
                raise self._wrong(start, "there is a second default export")
            self.exports.append("default")
            self.cuts.append((start.start, following.end, "const $default ="))
        elif following.text == "{":
            self.at -= 1
            exported = self._names("exports")
            end = self._expect(";", start, "; exports of what another module exports are not supported")
            self._share(exported)
            self.cuts.append((start.start, end.end, ""))
        elif following.text in ("const", "function", "class", "async"):
            name = self._declaration(following)
            if name is None:
                raise self._wrong(start, "there is no name here; export one name per statement")
            self._share([name])
            self.cuts.append((start.start, following.start, ""))
        else:
            raise self._wrong(
                start,
                "export a const, function or class, a list of names in braces, or, in the entry, a default",
            )

    def _declaration(self, keyword: Token) -> Token | None:
        """The name that a statement at the top level declares; of several in one statement the first."""
        if keyword.text not in ("const", "let", "var", "function", "class", "async"):
            return None
        at = self.at
        while at < len(self.tokens) and self.tokens[at].text in ("function", "*"):
            at += 1
        name = self.tokens[at] if at < len(self.tokens) else None
        if name is None or name.kind != "name" or not _NAME.fullmatch(name.text):
            return None
        follows = self.tokens[at + 1].text if at + 1 < len(self.tokens) else ""
        if keyword.text == "async" and "function" not in [token.text for token in self.tokens[self.at : at]]:
            return None  # an arrow function
        if keyword.text == "const" and follows != "=":
            return None
        self._declare(name, keyword.text)
        self.at = at + 1
        if keyword.text == "const":
            self._only_one(name)
        return name

    def _only_one(self, name: Token) -> None:
        """Refuse `const a = 1, b = 2;`, of which an export would miss the second."""
        for token in self.tokens[self.at :]:
            if token.depth == 0 and token.text == ";":
                return
            if token.depth == 0 and token.text == "," and token.kind == "punctuator":
                raise self._wrong(name, "declare one name per statement, and end it with a semicolon")

    def _names(self, what: str) -> list[Token]:
        """The names in braces."""
        start = self._next()
        assert start is not None
        names: list[Token] = []
        while (token := self._next()) is not None and token.text != "}":
            if token.kind != "name" or not _NAME.fullmatch(token.text):
                raise self._wrong(token, f"{token.text!r} is no name")
            if token.text == "default":
                raise self._wrong(token, "default exports of modules are not supported; give it a name")
            names.append(token)
            if self._peek() == "as":
                raise self._wrong(token, f"{what} cannot be renamed by `as`")
            if self._peek() == ",":
                self._next()
            elif self._peek() != "}":
                raise self._wrong(token, "a comma is missing")
        return names

    def _declare(self, name: Token, keyword: str) -> None:
        if name.text in self.declared:
            raise self._wrong(name, f"{name.text} is declared or imported twice")
        if name.text.startswith("$"):
            raise self._wrong(
                name, f"names that begin with $ are those of the bundle; {name.text} is another's"
            )
        self.declared[name.text] = keyword

    def _share(self, names: list[Token]) -> None:
        for name in names:
            if name.text in self.exports:
                raise self._wrong(name, f"{name.text} is exported twice")
            self.exports.append(name.text)

    def _peek(self) -> str:
        return self.tokens[self.at].text if self.at < len(self.tokens) else ""

    def _next(self) -> Token | None:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else None

    def _expect(self, text: str, start: Token, remark: str = "") -> Token:
        token = self._next()
        if token is None or token.text != text:
            raise self._wrong(start, f"{text!r} is missing in this statement{remark}")
        return token

    def _wrong(self, token: Token, message: str) -> BundleError:
        line = self.source.count("\n", 0, token.start) + 1
        return BundleError(f"{self.path}, line {line}: {message}")
