"""The core does without the libraries of the extras, and says what to install where one is needed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import paretonav as pn
from paretonav.errors import needing

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
LIBRARIES = {
    "typer": "cli",
    "rich": "cli",
    "matplotlib": "plots",
    "pandas": "tables",
    "moocore": "tables",
    "sklearn": "data",
    "anywidget": "notebook",
    "starlette": "web",
    "uvicorn": "web",
    "websockets": "web",
    "transformers": "text",
    "peft": "text",
    "gguf": "text",
}
"""What is imported -> the extra that it comes with."""
LOGGERS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
"""The same of loggers, of which nobody needs all."""

WITHOUT = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted({*LIBRARIES, *LOGGERS})!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""

WHOLE_STEP = """
import paretonav as pn

nav = pn.Navigator(pn.problems.quadratic(n=8, m=3))
nav.start()
step = nav.step(nav.preview(pn.Improve({"f1": 1.0}), 0.05))
assert step.status == "accepted", step.explain()
nav.session.note(1, step.explain())
assert len(nav.session.non_dominated()) == 2
pn.Cockpit(nav).save(sys.argv[1] + "/choice.html")
nav.session.to_json(sys.argv[1] + "/points.json")
print(nav.session.card()[:0] + step.status)
"""

NEEDED = {
    "table": ("tables", "nav.session.table()"),
    "csv": ("tables", "nav.session.to_csv(sys.argv[1] + '/points.csv')"),
    "comparison": ("tables", "nav.session.compare(0, 1).table()"),
    "hypervolume": ("tables", "nav.session.hypervolume()"),
    "picture": ("plots", "pn.plotting.save_plot(nav, sys.argv[1] + '/front.png')"),
    "figure": ("plots", "pn.plotting.front(nav.session)"),
    "digits": ("data", "pn.problems.digits()"),
    "notebook": ("notebook", "pn.Cockpit(nav).widget"),
    "web": ("web", "pn.Cockpit(nav).serve()"),
    "text": ("text", "pn.problems.sentences()"),
    "language": ("text", "pn.problems.language()"),
    "tensorboard": ("tensorboard", "pn.loggers.TensorBoard(sys.argv[1])"),
    "mlflow": ("mlflow", "pn.loggers.MLflow()"),
    "wandb": ("wandb", "pn.loggers.WandB()"),
}


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def test_a_whole_step_is_taken_without_any_extra_and_what_needs_one_names_it(tmp_path: Path) -> None:
    tries = "".join(
        f"""
try:
    {call}
except pn.MissingExtraError as error:
    print({name!r}, error)
"""
        for name, (_, call) in NEEDED.items()
    )
    done = run(WITHOUT + WHOLE_STEP + tries, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "accepted"
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines()[1:])
    assert set(said) == set(NEEDED)
    for name, (extra, _) in NEEDED.items():
        assert said[name].endswith(f'install it with: pip install "paretonav[{extra}]"'), said[name]
        assert "is not installed (No module named" in said[name]


def test_the_command_says_what_to_install() -> None:
    done = run(WITHOUT + "from paretonav.__main__ import main\nmain()")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "the command paretonav needs a library that is not installed (No module named 'typer'); install it with: "
        'pip install "paretonav[cli]"'
    )


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    done = run("import sys; import paretonav; print(' '.join(sys.modules))")
    loaded = {name.split(".")[0] for name in done.stdout.split()} | set(done.stdout.split())
    assert "paretonav.navigation" in loaded, done.stderr
    heavy = {*LIBRARIES, *LOGGERS, "scipy.optimize", "scipy.special", "scipy.linalg"}
    heavy |= {
        "paretonav.problems",
        "paretonav.plotting",
        "paretonav.loggers",
        "paretonav.terminal",
        "paretonav.cockpit.controller",
    }
    assert not heavy & loaded


def test_every_library_is_in_the_extra_that_errors_name() -> None:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = {
        name: {re.match(r"[\w-]+", text)[0].lower() for text in texts}  # type: ignore[index]
        for name, texts in project["optional-dependencies"].items()
    }
    core = {re.match(r"[\w-]+", text)[0] for text in project["dependencies"]}  # type: ignore[index]
    assert core == {"torch", "numpy", "scipy", "daqp", "safetensors", "filelock"}
    for library, extra in LIBRARIES.items():
        assert {"sklearn": "scikit-learn"}.get(library, library) in extras[extra]
    for library, extra in LOGGERS.items():
        assert {"mlflow": "mlflow-skinny"}.get(library, library) in extras[extra]
        assert "matplotlib" in extras[extra]
    (everything,) = project["optional-dependencies"]["all"]
    assert set(everything[len("paretonav[") : -1].split(",")) == set(LIBRARIES.values())


def test_an_error_of_our_own_goes_through() -> None:
    with pytest.raises(pn.MissingExtraError, match="inner"), needing("web", "outer"), needing("cli", "inner"):
        import no_such_library  # noqa: F401


def test_the_version_is_that_of_the_project() -> None:
    assert pn.__version__ == version("paretonav")
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = pn.nonsense
    assert {"problems", "Navigator"} <= set(dir(pn))
