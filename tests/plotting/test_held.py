"""Charts of a model that is held where it is, with wishes about validation data."""

from dataclasses import replace

import numpy as np
import pytest
from tests.regression import NAMES

from paretonav.plotting import save_plot
from paretonav.plotting.charts import Front, Prices, bars
from paretonav.session.wording import prices
from paretonav.statistics import quantile


@pytest.mark.parametrize(
    ("split", "shown"), [(None, "validation"), ("validation", "validation"), ("train", "training")]
)
def test_points_and_front_are_of_the_data_that_are_drawn(held, split, shown):
    chart = Front.of(held.session, split=split)
    record = held.records[-1]
    losses = record.values.on(split)
    assert chart.visited.split == shown
    assert chart.visited.losses[-1].tolist() == [losses[name] for name in NAMES]
    off = np.abs(chart.patch.outcomes - chart.visited.losses[-1]).sum(axis=1)
    assert off.min() < 1e-9
    assert "Pareto front" not in chart.subtitle
    assert f"{shown} losses" in chart.subtitle


def test_bars_are_what_the_others_pay_along_the_cheapest_way(held, tmp_path):
    chart = bars(held.session)
    assert isinstance(chart, Prices)
    assert "along the cheapest way" in chart.subtitle
    for i, name in enumerate(NAMES):
        for j, payer in enumerate(NAMES):
            cost = np.nan if name == payer else prices(held.here, name)[payer]
            assert chart.prices[i, j] == pytest.approx(cost, nan_ok=True)
    for kind in ("front", "bars"):
        save_plot(held, tmp_path / f"{kind}.png", kind)


def test_prices_within_the_noise_are_hollow(held):
    """By the definition of the 95 % interval: of the gain, or of what is paid."""
    here = held.here
    width = quantile(len(here.measured.validation.fractions))
    doubtful = Prices.of(here).doubtful
    for i, name in enumerate(NAMES):
        found = here.conflict[name]
        paid, error = found.others[NAMES[1 - i]]
        sure = abs(paid) > width * error and abs(found.gain) > width * found.gain_error
        assert doubtful[i, 1 - i] == (not sure)
        assert not doubtful[i, i]


@pytest.mark.parametrize(("gain_error", "error", "hollow"), [(0.0, 0.0, 0), (1e9, 0.0, 2), (0.0, 1e9, 2)])
def test_either_error_makes_a_price_doubtful(held, monkeypatch, gain_error, error, hollow):
    changed = {
        name: replace(c, gain_error=gain_error, others={n: (x, error) for n, (x, _) in c.others.items()})
        for name, c in held.here.conflict.items()
    }
    monkeypatch.setattr(type(held.here), "conflict", changed)
    assert Prices.of(held.here).doubtful.sum() == hollow


def test_a_price_is_what_was_measured_on_validation_data(held):
    here = held.here
    for name, other in (NAMES, NAMES[::-1]):
        found = here.conflict[name]
        gain = -found.gain / here.validation[name]
        paid = found.others[other][0] / here.validation[other]
        expected = paid / gain if gain > 0 else np.inf
        assert prices(here, name)[other] == pytest.approx(expected)
