"""Metrics, standard errors and conflict at the prompt."""

import re

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn
from paretonav.navigation import beginning
from paretonav.terminal.dialogue import Dialogue, RefusedError
from paretonav.terminal.parser import parse


def tasks() -> pn.ModelProblem:
    """Two regressions that share one layer and want opposite things of it; the metric is a smooth score."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(400, 3, generator=generator, dtype=torch.float64)
    y = torch.stack([x.sum(1), -x.sum(1) + x[:, 0]], dim=1)
    y += 0.3 * torch.randn(y.shape, generator=generator, dtype=torch.float64)
    data = TensorDataset(x, y)
    model = nn.Linear(3, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():  # the front at equal weights, but for the decay
        model.weight.copy_(torch.linalg.lstsq(x, y.mean(1, keepdim=True)).solution.T)
    return pn.ModelProblem(
        model,
        {f"task {i}": lambda o, b, i=i: (o[:, 0] - b[1][:, i]).square().mean() for i in (0, 1)},
        data,
        DataLoader(data, batch_size=40),
        metrics={
            "score": pn.Metric(lambda o, b: -(o[:, 0] - b[1][:, 0]).abs().mean() + 5, higher_is_better=True),
            "plain": lambda o, b: o.mean(),
        },
        weight_decay=1e-3,
    )


@pytest.fixture
def metric_dialogue(console, monkeypatch):
    monkeypatch.setattr(beginning, "_FIRST_RADIUS", 0.25)  # so that far is not far out
    dialogue = Dialogue(pn.Navigator(tasks()), console)
    dialogue.start()
    return dialogue


def say(dialogue, text):
    problem = dialogue.navigator.problem
    for command in parse(text, problem.names, problem.metric_names):
        dialogue.run(command)


@pytest.mark.usefixtures("metric_dialogue")
def test_the_start_says_where_there_is_conflict(written):
    assert "Is there something to trade on validation data? Improving" in written()
    assert "task 0: task 1 would pay for it." in written()


def test_a_metric_that_is_better_higher_can_be_improved(metric_dialogue, written):
    before = metric_dialogue.navigator.here.metrics["score"]
    say(metric_dialogue, "improve score by 2%")
    after = metric_dialogue.navigator.here.metrics["score"]
    assert after == pytest.approx(1.02 * before, rel=2e-3)
    shown = written()
    assert re.search(r"score +[\d.]+ +\+[\d.]+ +\+[\d.]+ +±[\d.]+", shown)
    assert "metric" in shown


def test_a_bound_is_kept_and_told(metric_dialogue, written):
    start = metric_dialogue.navigator.here
    bound = 1.02 * start.losses["task 1"]
    say(metric_dialogue, f'preview improve "task 0" by 0.5% allow "task 1" {bound:.6f}')
    assert "allowing task 1" in written()
    with pytest.raises(RefusedError, match="bound on task 1"):
        say(metric_dialogue, f'improve "task 0" by 30% allow "task 1" {bound:.6f}')
    assert metric_dialogue.navigator.here is start


def test_a_metric_nobody_knows_the_better_side_of_is_refused_in_words(metric_dialogue):
    with pytest.raises(pn.PreferenceError, match="which way 'plain' is better"):
        say(metric_dialogue, "improve plain")
    assert metric_dialogue.navigator.here.id == 0


def test_a_far_preview_says_so(metric_dialogue, written):
    say(metric_dialogue, 'preview improve "task 0" by 1%')
    assert "several legs" not in written()
    say(metric_dialogue, 'preview improve "task 0" by 30%')
    assert "several legs" in written()


def test_legs_of_a_wish_that_names_no_metric_need_none(metric_dialogue):
    step = metric_dialogue.navigator.step(pn.Improve({"task 0": 1.0}), 0.3)
    assert "legs" in step.reason
    assert step.achieved.train["task 0"] == pytest.approx(
        -0.3 * metric_dialogue.navigator.records[0].losses["task 0"], rel=0.02
    )
