"""The 95 % intervals of what is reported cover the population's truth as often as they say."""

import pytest

from population import METRICS, NAMES
from real_conflict import linear
from standard_errors import coverage


def require(found: dict[str, float], draws: int) -> None:
    assert found.keys() == {
        f"{kind}: {name}" for kind in ("achieved", "predicted") for name in (*NAMES, *METRICS)
    }
    slack = 4 * (0.95 * 0.05 / draws) ** 0.5  # of so many quantities one is likely to be three deviations off
    for what, share in found.items():
        bent = 0.02 * what.startswith("predicted")  # their errors are those of the slopes, not of bends
        assert share >= 0.95 - slack - bent, what
    assert abs(sum(found.values()) / len(found) - 0.95) < 0.02 + slack / 4


@pytest.mark.slow
@pytest.mark.parametrize("lengths", [[200, 200, 200, 20]])
def test_intervals_cover_the_truth(lengths: list[int]) -> None:
    require(coverage(lengths, draws=40, seed=1), 40)


@pytest.mark.slow
@pytest.mark.parametrize("batches", [4, 20])
def test_intervals_cover_the_truth_for_any_number_of_batches(batches: int) -> None:
    require(coverage([200] * batches, draws=60, seed=1), 60)


@pytest.mark.slow
def test_conflict_is_found_where_it_is() -> None:
    same = linear(0.0, [100] * 8, 400, trainings=6, draws=4)
    apart = linear(0.5, [100] * 8, 400, trainings=3, draws=2)
    assert sum(same) / len(same) <= 0.05
    assert sum(apart) / len(apart) >= 0.95
