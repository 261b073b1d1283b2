"""Settings of all tests."""

from hypothesis import settings

# Times are for the benchmarks: a busy machine makes no test fail.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
