"""A person's own problem, named on the command line."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from pathlib import Path
from types import TracebackType

from paretonav.errors import ParetonavError
from paretonav.objectives import Problem
from paretonav.terminal.words import CommandError
from paretonav.text import in_quotes, printable


class TargetError(ParetonavError):
    """Code that was named on the command line failed.

    Attributes:
        told: its traceback.
    """

    def __init__(self, what: str, error: Exception) -> None:
        super().__init__(f"{what} failed; mend it and try again")
        self.told = "".join(traceback.format_exception(type(error), error, _theirs(error.__traceback__)))


def problem_of(target: str) -> Problem:
    """The problem that ``MODULE:FUNCTION`` or ``FILE.py:FUNCTION`` makes.

    Modules are looked for in the working directory, too, and a file is the module of that name in its folder.

    Raises:
        CommandError: there is no such module or function, or it returns something else.
        TargetError: the module or the function failed.
    """
    module_name, _, name = target.partition(":")
    file = Path(module_name)
    is_file = file.suffix == ".py" or file.name != module_name
    if not module_name or not name.isidentifier():
        shown = module_name or "module"
        raise CommandError(
            f"{in_quotes(target)} names no function; write it like this: {printable(shown)}:function"
        )
    folder = os.getcwd()
    if is_file:
        if not file.with_suffix(".py").is_file():
            raise CommandError(
                f"there is no file {in_quotes(str(file.with_suffix('.py')))}; name a file of Python as "
                "FOLDER/FILE.py:function, or a module as MODULE:function"
            )
        folder, module_name = str(file.parent.resolve()), file.stem
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise TargetError(f"importing {in_quotes(module_name)}", error) from error
        raise CommandError(
            f"there is no module {in_quotes(module_name)}, neither installed nor in {in_quotes(folder)}; go to the "
            "folder that has it, or name the file: FOLDER/FILE.py:function"
        ) from None
    except Exception as error:
        raise TargetError(f"importing {in_quotes(module_name)}", error) from error
    found = getattr(module, "__file__", None)
    if is_file and not (found and Path(found).resolve() == file.with_suffix(".py").resolve()):
        raise CommandError(
            f"another module is called {in_quotes(module_name)}, too, and comes first; give the file another name"
        )
    function = getattr(module, name, None)
    if not callable(function):
        what = "has no function" if function is None else f"has a {type(function).__name__}, not a function,"
        raise CommandError(
            f"{in_quotes(module_name)} {what} {in_quotes(name)}; name a function that returns a problem"
        )
    try:
        problem = function()
    except Exception as error:
        raise TargetError(f"{in_quotes(target)}", error) from error
    if not isinstance(problem, Problem):
        raise CommandError(
            f"{in_quotes(target)} returned a {type(problem).__name__}; let it return a problem, such as a "
            "ModelProblem or a FunctionProblem"
        )
    return problem


def _theirs(tb: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is neither here nor in Python's import system."""
    while tb is not None:
        file = tb.tb_frame.f_code.co_filename
        if file != __file__ and "importlib" not in file:
            return tb
        tb = tb.tb_next
    return None
