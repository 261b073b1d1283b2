import io

import pytest
from rich.console import Console

import paretonav as pn
from paretonav.terminal.dialogue import Dialogue


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)


@pytest.fixture
def dialogue(console):
    """A started dialogue on three quadratics, with nothing written yet."""
    dialogue = Dialogue(pn.Navigator(pn.problems.quadratic(n=10, m=3)), console)
    dialogue.start()
    console.file.truncate(0)
    return dialogue


@pytest.fixture
def written(console):
    """What has been written."""
    return lambda: console.file.getvalue().replace("\0", "")
