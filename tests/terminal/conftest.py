import io

import pytest
from rich.console import Console

import paretonav as pn
from paretonav.terminal.session import Session


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=80, highlight=False, markup=False, emoji=False)


@pytest.fixture
def session(console):
    """A started session on three quadratics, with nothing written yet."""
    session = Session(pn.Navigator(pn.problems.quadratic(n=10, m=3)), console)
    session.start()
    console.file.truncate(0)
    return session


@pytest.fixture
def written(console):
    """What has been written."""
    return lambda: console.file.getvalue().replace("\0", "")
