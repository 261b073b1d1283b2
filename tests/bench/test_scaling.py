"""Exponents of known laws, a clock that counts once, and memory per parameter."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import paretonav as pn
import scaling


@given(
    power=st.floats(-3, 3),
    factor=st.floats(1e-6, 1e6),
    sizes=st.lists(st.integers(1, 10**8), min_size=2, max_size=6, unique=True),
)
def test_the_exponent_of_a_power_law(power: float, factor: float, sizes: list[int]) -> None:
    figures = [factor * float(size) ** power for size in sizes]
    assert scaling.exponent(sizes, figures) == pytest.approx(power, abs=1e-6)


def test_a_constant_hides_a_part_of_the_exponent() -> None:
    sizes = np.logspace(2, 6, 9)
    assert 0 < scaling.exponent(sizes, 1e4 + sizes) < 1


@given(parameters=st.integers(5_000, 10**8))
def test_the_network_is_as_large_as_asked(parameters: int) -> None:
    h = scaling.width(parameters)
    counted = (scaling._INPUTS + 1) * h + (h + 1) * h + (h + 1)
    assert counted == pytest.approx(parameters, rel=0.03)


def test_nested_calls_count_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]

    def takes(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    clock = scaling.Clock()
    inner = clock.wrap(lambda: takes(1.0))
    outer = clock.wrap(lambda: (inner(), takes(2.0)))
    outer()
    assert clock.seconds == 3.0


def test_derivatives_are_timed_and_left_as_they_were() -> None:
    problem = pn.problems.quadratic(n=10, m=3)
    nav = pn.Navigator(problem)
    nav.start()
    before = scaling.Curvature.__call__, scaling.Curvature.__init__, scaling.measured_front.path_curvature
    with scaling.derivatives(problem) as clock:
        step = nav.step(pn.Improve({"f1": 1.0}), 0.05)
    assert 0 < clock.seconds < step.cost.seconds
    spent = clock.seconds
    nav.step(pn.Improve({"f2": 1.0}), 0.05)
    assert clock.seconds == spent
    after = scaling.Curvature.__call__, scaling.Curvature.__init__, scaling.measured_front.path_curvature
    assert after == before


def test_memory_per_parameter_leaves_out_what_any_network_takes() -> None:
    sizes = (10**4, 10**6, 10**7)
    rows = [{"parameters": n, "peak MiB": 100 + 80 * n / 2**20} for n in sizes]
    found = [row["bytes / parameter"] for row in scaling.per_parameter(rows)]
    assert found[1:] == pytest.approx([80, 80])
