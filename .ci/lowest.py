"""The lowest versions that pyproject.toml allows, as requirements: of what is installed with some extras.

Their names, separated by commas, are the argument. torch is left out: one version of it is enough to download.
"""

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
extras = project["optional-dependencies"]
for text in (*project["dependencies"], *(text for name in sys.argv[1].split(",") for text in extras[name])):
    requirement = Requirement(text)
    lower = [bound.version for bound in requirement.specifier if bound.operator == ">="]
    if len(lower) != 1:
        sys.exit(f"{text!r} in pyproject.toml has no lower bound; give it one, such as >=1.0")
    if requirement.name != "torch":
        sys.stdout.write(f"{requirement.name}=={lower[0]}\n")
