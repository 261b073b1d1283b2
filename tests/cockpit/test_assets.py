"""Where the view comes from: the modules of a checkout, or what the build of a wheel made of them."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from paretonav.cockpit import assets, bundle
from paretonav.errors import ParetonavError

ROOT = Path(__file__).parents[2]
INDEX = 'import { one } from "./plots/one.js";\nexport default { render() { return one; } };\n'


@pytest.fixture
def cockpit(tmp_path: Path) -> Path:
    """A package's folder with a small view."""
    (tmp_path / "view" / "plots").mkdir(parents=True)
    (tmp_path / "view" / "index.js").write_text(INDEX)
    (tmp_path / "view" / "plots" / "one.js").write_text("export const one = 1;\n")
    (tmp_path / "view" / "style.css").write_text(".cockpit { margin: 0; }\n")
    return tmp_path


@pytest.fixture
def checkout(cockpit: Path, tmp_path: Path) -> Path:
    """A project with that view, and what its build needs."""
    root = tmp_path / "checkout"
    target = root / "src" / "paretonav" / "cockpit"
    target.mkdir(parents=True)
    shutil.copytree(cockpit / "view", target / "view")
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, root)
    (root / "src" / "paretonav" / "__init__.py").write_text("")
    for path in (ROOT / "src" / "paretonav" / "cockpit").glob("*.*"):
        shutil.copy(path, target)
    return root


def test_a_checkout_joins_its_modules_and_notices_changes(
    cockpit: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "_HERE", cockpit)
    assert assets.module() is assets.module()
    assert assets.module() == bundle.module_of(cockpit / "view")
    assert ".cockpit { margin: 0; }" in assets.style()
    one = cockpit / "view" / "plots" / "one.js"
    one.write_text("export const one = 2;\n")
    os.utime(one, ns=(1, 1))
    assert "one = 2" in assets.module()
    one.write_text("export let one = 2;\n")
    os.utime(one, ns=(2, 2))
    with pytest.raises(ParetonavError, match=r"cannot be joined: plots/one\.js"):
        assets.module()


def test_a_copy_without_a_view_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "_HERE", tmp_path)
    with pytest.raises(ParetonavError, match="install the package anew"):
        assets.module()


def build(root: Path, kind: str) -> Path:
    """What the project's own build makes: no network, no environment."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(root / "dist")],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (made,) = (root / "dist").glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return made


def test_a_wheel_has_the_bundle_and_not_the_modules(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(checkout.rglob("*"))
    wheel = build(checkout, "wheel")
    left = [
        path for path in checkout.rglob("*") if "dist" not in path.parts and "__pycache__" not in path.parts
    ]
    assert sorted(left) == before
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if "/cockpit/" in name]
        archive.extractall(tmp_path / "installed")
    assert "paretonav/cockpit/static/cockpit.js" in names
    assert not [name for name in names if "/view/" in name or name.endswith(("/bundle.py", "/javascript.py"))]
    installed = tmp_path / "installed" / "paretonav" / "cockpit"
    view = checkout / "src" / "paretonav" / "cockpit" / "view"
    module, style = bundle.module_of(view), bundle.style_of(view)
    monkeypatch.setattr(assets, "_HERE", installed)
    monkeypatch.delattr("paretonav.cockpit.bundle")
    monkeypatch.setitem(sys.modules, "paretonav.cockpit.bundle", None)  # as where there is none
    assert (assets.module(), assets.style()) == (module, style)


def test_a_source_archive_has_what_builds_that_wheel(checkout: Path, tmp_path: Path) -> None:
    with tarfile.open(build(checkout, "sdist")) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # not in the first releases of 3.11
        archive.extractall(tmp_path / "unpacked")
    (root,) = (tmp_path / "unpacked").iterdir()
    with zipfile.ZipFile(build(root, "wheel")) as archive:
        assert "paretonav/cockpit/static/cockpit.css" in archive.namelist()


def test_a_view_that_cannot_be_joined_fails_the_build(checkout: Path) -> None:
    (checkout / "src" / "paretonav" / "cockpit" / "view" / "index.js").write_text('import "./a.js";')
    with pytest.raises(subprocess.CalledProcessError) as caught:
        build(checkout, "wheel")
    assert b"index.js, line 1" in caught.value.stderr + caught.value.stdout
