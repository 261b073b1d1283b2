"""The view's pure modules, tested in their own language where there is Node.js; the pages' tests need a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VIEW = ROOT / "src" / "paretonav" / "cockpit" / "view"
NODE = shutil.which("node")
TESTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests" / "js").glob("*.test.js"))


@pytest.mark.skipif(not (ROOT / "tsconfig.json").is_file(), reason="a source archive has no tsconfig.json")
def test_the_type_checker_reads_all_modules() -> None:
    settings = json.loads((ROOT / "tsconfig.json").read_text())
    assert [ROOT / name for name in settings["include"]] == [VIEW]
    assert settings["compilerOptions"]["checkJs"]
    assert settings["compilerOptions"]["strict"]
    for path in VIEW.rglob("*.js"):
        source = path.read_text("utf-8")
        assert source.startswith("// @ts-check\n"), path  # editors, too
        assert "@ts-ignore" not in source, path
        assert "@ts-nocheck" not in source, path


def test_there_are_tests_in_javascript() -> None:
    assert TESTS


@pytest.mark.skipif(NODE is None, reason="there is no Node.js on the path")
@pytest.mark.parametrize("name", TESTS, ids=lambda name: Path(name).name.split(".")[0])
def test_javascript(name: str) -> None:
    assert NODE is not None
    run = subprocess.run([NODE, "--test", name], cwd=ROOT, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout + run.stderr
