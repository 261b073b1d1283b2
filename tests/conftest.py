"""Settings of all tests."""

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

# Times are for the benchmarks: a busy machine makes no test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Processes that the test starts can be interrupted.

    They inherit that from whoever runs the tests, and a shell's background jobs ignore SIGINT.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
