"""Charts of a model that is held where it is, with wishes about validation data."""

import numpy as np
import pytest
import torch
from tests.regression import NAMES, problem

import paretonav as pn
from paretonav.plotting import save_plot
from paretonav.plotting.charts import Bars, Front
from paretonav.session.wording import prices

FAST = pn.TrainOn(lambda p: torch.optim.Adam(p, lr=1e-2), learning_rate_factor=1.0, epochs=8, batch_size=64)


@pytest.fixture(scope="module")
def held():
    navigator = pn.Navigator(problem())
    navigator.start(train_on=FAST)
    navigator.step(pn.Improve({"large": 1.0}), 0.02)
    return navigator


@pytest.mark.parametrize(
    ("split", "shown"), [(None, "validation"), ("validation", "validation"), ("train", "training")]
)
def test_points_and_front_are_of_the_data_that_are_drawn(held, split, shown):
    chart = Front.of(held.session, split=split)
    record = held.points[-1]
    losses = record.shown(split)
    assert chart.visited.split == shown
    assert chart.visited.losses[-1].tolist() == [losses[name] for name in NAMES]
    off = np.abs(chart.patch.outcomes - chart.visited.losses[-1]).sum(axis=1)
    assert off.min() < 1e-9
    assert "Pareto front" not in chart.subtitle
    titles = pn.plotting.front(held.session, split=split).layout
    assert titles.xaxis.title.text == f"small – {shown} loss"


def test_bars_are_what_the_others_pay_along_the_cheapest_way(held, tmp_path):
    chart = Bars.of(held.session)
    assert "along the cheapest way" in chart.subtitle
    for payer, (lengths, _) in zip(NAMES, chart.series.values(), strict=True):
        for name, length in zip(NAMES, lengths, strict=True):
            cost = np.nan if name == payer else prices(held.here, name)[payer]
            assert length == pytest.approx(cost, nan_ok=True)
    for kind in ("front", "bars"):
        save_plot(held, tmp_path / f"{kind}.png", kind)


def test_a_price_is_what_was_measured_on_validation_data(held):
    here = held.here
    for name, other in (NAMES, NAMES[::-1]):
        found = here.conflict[name]
        gain = -found.gain / here.validation[name]
        paid = found.costs[other][0] / here.validation[other]
        expected = paid / gain if gain > 0 else np.inf
        assert prices(here, name)[other] == pytest.approx(expected)
