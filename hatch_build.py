"""What the build of a wheel adds: the cockpit's view, joined into one module and one style sheet."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ViewHook(BuildHookInterface[Any]):
    """Puts ``paretonav/cockpit/static`` into the wheel and leaves the source tree as it is."""

    PLUGIN_NAME = "custom"
    folder: str | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if (
            version == "editable"
        ):  # a checkout has the modules themselves; paretonav.cockpit.assets joins them
            return
        cockpit = Path(self.root) / "src" / "paretonav" / "cockpit"
        bundle = _bundler(cockpit)
        self.folder = tempfile.mkdtemp(prefix="paretonav-view-")
        for name, content in (
            ("cockpit.js", bundle.module_of(cockpit / "view")),
            ("cockpit.css", bundle.style_of(cockpit / "view")),
        ):
            made = Path(self.folder) / name
            made.write_text(content, encoding="utf-8", newline="\n")
            build_data["force_include"][str(made)] = f"paretonav/cockpit/static/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _bundler(cockpit: Path) -> Any:
    """``paretonav.cockpit.bundle``, without the package around it, which needs more than a build has."""
    package = ModuleType("_paretonav_cockpit")
    package.__path__ = [str(cockpit)]
    sys.modules[package.__name__] = package
    return importlib.import_module("_paretonav_cockpit.bundle")
