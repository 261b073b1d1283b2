"""What several processes do in the tests: ``cases.py CASE,... RANK SIZE STORE ...``; each asserts what it promises."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import torch
import torch.distributed as dist
from tests.processes import kinds
from torch import Tensor

import paretonav as pn
from paretonav.geometry import Curvature
from paretonav.geometry.path import path_curvature
from paretonav.objectives import Tally

Find = Callable[[pn.ModelProblem], dict[str, Tensor]]
WISH = pn.Improve({"a": 1.0})


def everything(problem: pn.ModelProblem) -> Iterator[tuple[str, Tensor]]:
    """What a problem computes on data, by name."""
    theta = problem.parameters()
    generator = torch.Generator().manual_seed(3)
    ways = torch.randn(2, len(theta), generator=generator, dtype=torch.float64).to(theta)
    weights = torch.tensor([0.3, 0.7], dtype=theta.dtype)
    for split in ("train", "validation") if problem.has_validation else ("train",):
        losses, jacobian = problem.jacobian(theta, split)
        yield f"jacobian {split}", jacobian
        yield f"losses {split}", losses.batches
        yield f"fractions {split}", losses.fractions
        yield f"evaluated {split}", problem.evaluate(theta, split).batches
        found, response = problem.response(theta, ways, split)
        yield f"response {split}", response.batches
        yield f"metrics {split}", found.metric_batches
        yield f"some response {split}", problem.response(theta + 0.1, ways, split, batches=3)[1].batches
        points = [theta + 0.1 * way for way in ways]
        for i, each in enumerate(problem.probe(points, split, 3, around=theta)):
            yield f"probe {i} {split}", each.batches
    for size in (None, 40):
        sample = problem.curvature_sample(size, around=theta)
        for kind in ("exact", "gauss-newton"):
            yield f"{kind} {size}", Curvature(sample, theta, weights, kind=kind, shift=0.1)(ways)  # type: ignore[arg-type]
        yield f"path {size}", path_curvature(sample, theta, ways, 2, Tally())


def parity(names: list[str]) -> None:
    """All that several processes compute is what one computes."""
    for name in names or kinds.KINDS:
        make = kinds.KINDS[name]
        for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-6))[: 1 if names else 2]:
            problem = make(dtype)
            alone = dict(everything(problem)) if dist.get_rank() == 0 else {}
            before = problem.cost
            with pn.Processes(problem) as processes:
                assert problem.processes == processes.size == dist.get_world_size()
                together = dict(everything(problem)) if processes.first else {}
            assert problem.processes == 1
            for what, expected in alone.items():
                if not expected.numel():
                    continue
                size = float(expected.abs().max()) or 1.0
                error = float((together[what] - expected).abs().max()) / size
                assert error <= tolerance, (name, dtype, what, error)
            spent = problem.cost - before
            if dist.get_rank() == 0:  # but for the batches that are looked at for the comparison
                assert spent.gradient_passes == pytest.approx(before.gradient_passes), name
                assert spent.hessian_products == before.hessian_products
    say("the same")


def traffic(_: list[str]) -> None:
    """As many collectives and bytes as docs/scale.md says."""
    problem = kinds.perceptron(torch.float32)
    theta = problem.parameters()
    vector = theta.nbytes
    with pn.Processes(problem) as processes:
        if processes.first:
            _count(problem, theta, vector)
    say("counted")


def _count(problem: pn.ModelProblem, theta: Tensor, vector: int) -> None:
    def spent(work: Callable[[], object]) -> list[int]:
        before = dict(vars(problem.team.traffic))
        work()
        return [now - before[name] for name, now in vars(problem.team.traffic).items()]

    m, k, p = problem.m, 3, 4
    ways = torch.randn(k, len(theta))
    made: list[Curvature] = []

    def make() -> None:
        made.append(Curvature(problem.curvature_sample(), theta, torch.ones(2) / 2, kind="gauss-newton"))

    for name, work, collectives, vectors, reports in (
        ("evaluate", lambda: problem.evaluate(theta), 4, 1, True),
        ("jacobian", lambda: problem.jacobian(theta), 5, 1 + m, True),
        ("probe", lambda: problem.probe([theta] * p), 3 + p, p, True),
        ("response", lambda: problem.response(theta, ways, "validation"), 5, 1 + k, True),
        ("operator", make, 3, 1, False),
        ("products", lambda: made[0](ways), 4, 2 * k, False),
        ("parameters", lambda: problem.set_parameters(theta), 4, 1, True),
    ):
        found = spent(work)
        assert found[:2] == [collectives, vectors * vector], (name, found)
        if reports:
            assert 4096 + 16 < found[2] < 3 * 4096, (name, found)
        else:
            assert found[2] == 4096 + 16, (name, found)


def steered(arguments: list[str]) -> None:
    """A start, a preview, steps and a session are those of one process, and a script needs but one more word."""
    problem = kinds.trained()
    nav = pn.Navigator(problem, session=arguments[0], group="world")
    assert dist.get_rank() == 0
    nav.start()
    preview = nav.preview(WISH, 0.02)
    assert preview.reach > 0
    nav.step(preview)
    nav.training_gain()
    nav.trial(WISH, 0.01)
    step = nav.step(WISH, 0.01)
    assert step.status is pn.StepStatus.ACCEPTED
    assert torch.equal(problem.parameters(), nav.here.parameters)
    nav.undo()
    nav.go_to(step.point.id)


def gone_on(_: list[str]) -> None:
    """After the block every process has the model, and is alone."""
    problem = kinds.trained()
    with pn.Processes(problem) as processes:
        if processes.first:
            nav = pn.Navigator(problem)
            nav.start()
            nav.step(WISH, 0.02)
    theta = problem.parameters()
    everywhere = [torch.empty_like(theta) for _ in range(dist.get_world_size())]
    dist.all_gather(everywhere, theta)
    assert all(torch.equal(each, theta) for each in everywhere)
    assert problem.evaluate(theta).fractions.sum() == pytest.approx(1.0)
    with pn.Processes(problem) as processes:  # again
        if processes.first:
            problem.jacobian(theta)
    say("on")


class Brought(pn.ModelProblem):
    """It brings its own training, in which batches are normalised by what was seen."""

    needs_training = True

    def train(self) -> Tensor:
        self.model.train()
        for batch, _ in self.data["train"].shuffled(20, torch.Generator().manual_seed(0)):
            self.model(batch[0])
        self.model.eval()
        return self.parameters()


def trained_by_the_first(_: list[str]) -> None:
    """What the first process's training has changed besides the parameters is what all of them have."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.BatchNorm1d(6), torch.nn.Linear(6, 2)).double()
    data, losses = kinds.numbers(60, torch.float64), {"a": kinds.square(0), "b": kinds.square(1)}
    problem = Brought(model.eval(), losses, data, batch_size=20)
    with pn.Processes(problem) as processes:
        if processes.first:
            problem.set_parameters(problem.train())
            together = problem.jacobian(problem.parameters() + 0.1)
    _, jacobian = problem.jacobian(problem.parameters() + 0.1)
    if processes.first:
        assert torch.allclose(together[1], jacobian, rtol=1e-12)
    assert abs(model[0].running_mean).max() > 0
    say("brought")


def asked_in_the_midst(_: list[str]) -> None:
    """What an event asks for in the midst of a pass is refused, and nothing is out of step."""
    problem = kinds.trained()
    with pn.Processes(problem) as processes:
        if processes.first:
            nav = pn.Navigator(problem)
            with pytest.raises(pn.NavigationError, match="in the midst of a pass"):
                nav.start(
                    on_event=lambda event: event.fraction > 0.1 and problem.evaluate(problem.parameters())
                )
            nav.start()
    say("refused")


def failing(_: list[str]) -> None:
    """Whoever fails, the first process gets the error, and then all go on."""
    armed: dict[int, BaseException] = {}

    def loss(outputs: Tensor, batch: Any) -> Tensor:
        if (error := armed.pop(dist.get_rank(), None)) is not None:
            raise error
        return kinds.square(0)(outputs, batch)

    problem = kinds.perceptron(losses={"a": loss})
    theta = problem.parameters()
    expected = problem.evaluate(theta).mean
    with pn.Processes(problem) as processes:
        if not processes.first:
            armed[processes.rank] = KeyError("broken")
        else:
            with pytest.raises(
                pn.ProblemError, match=r"loss 'a' failed on batch 2 of the train.*process 1 of 2"
            ):
                problem.evaluate(theta)
            assert torch.allclose(problem.evaluate(theta).mean, expected)
            for error in (KeyError("mine"), KeyboardInterrupt()):
                armed[0] = error
                with pytest.raises((pn.ProblemError, KeyboardInterrupt)):
                    problem.jacobian(theta)
                assert torch.allclose(problem.jacobian(theta)[0].mean, expected)
    say("mended")


def cancelled(_: list[str]) -> None:
    """A step that is cancelled at any time leaves all as it was, and the next one is as if there had been none."""
    problem = kinds.trained()
    nav = pn.Navigator(problem, group="world")
    nav.start()
    before = nav.here.parameters.clone()
    for fraction in (0.0, 0.2, 0.5, 0.9):
        cancel = threading.Event()

        def stop(event: pn.Event, cancel: threading.Event = cancel, fraction: float = fraction) -> None:
            if event.fraction >= fraction:
                cancel.set()

        with pytest.raises(pn.Cancelled):
            nav.step(WISH, 0.02, on_event=stop, cancel=cancel)
        assert torch.equal(problem.parameters(), before)

    def stop_by_signal(event: pn.Event) -> None:
        if event.fraction > 0.3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        nav.step(WISH, 0.02, on_event=stop_by_signal)
    assert torch.equal(problem.parameters(), before)
    step = nav.step(WISH, 0.02)
    alone = pn.Navigator(kinds.trained())
    alone.start()
    expected = alone.step(WISH, 0.02)
    assert step.status is expected.status
    assert torch.allclose(step.point.parameters, expected.point.parameters, atol=1e-9)
    say("cancelled")


def killed(arguments: list[str]) -> None:
    """A process dies in the middle of a pass."""
    who, armed = int(arguments[0]), False

    def loss(outputs: Tensor, batch: Any) -> Tensor:
        if armed and dist.get_rank() == who:
            os.kill(os.getpid(), signal.SIGKILL)
        return kinds.square(1)(outputs, batch)

    problem = kinds.perceptron(losses={"b": loss})
    with pn.Processes(problem) as processes:
        armed = True
        if processes.first:
            problem.evaluate(problem.parameters())


def different(_: list[str]) -> None:
    """Processes that were not started alike do not begin, and all are told why."""
    second = dist.get_rank() == 1

    def moved() -> pn.ModelProblem:
        problem = kinds.perceptron()
        problem.set_parameters(problem.parameters() + 1e-9)
        return problem

    f64 = torch.float64
    for make, named in (
        (
            lambda: kinds.convolutions(f64),
            r"the names of the losses \(a, b in process 0, mean, corner in process 1\); start all of them",
        ),
        (moved, r"the numbers in '0.weight'; give all processes the same checkpoint"),
        (
            lambda: kinds.perceptron(train=kinds.numbers(71, f64)),
            r"the number of train examples \(70 in process 0, 71 in process 1\); give every process all of the data",
        ),
        (
            lambda: kinds.perceptron(train=kinds.numbers(70, f64, 5)),
            "the numbers in batch 1 of 4 of the train data that are looked at; give every process all",
        ),
        (
            lambda: kinds.perceptron(losses={"b": kinds.square(0)}),
            r"loss 'b' on a batch of the train data \(.*\); does its code differ",
        ),
        (
            lambda: kinds.perceptron(weight_decay=0.1),
            r"weight_decay \(0.0 in process 0, 0.1 in process 1\); start all of them with the same code",
        ),
    ):
        problem = make() if second else kinds.perceptron()
        with pytest.raises(pn.ProcessesError, match=f"^process 1 of 2 differs from process 0 in {named}"):
            pn.Processes(problem)
        assert problem.processes == 1
    say("different")


def say(what: str) -> None:
    """What shows that a case has come to its end."""
    sys.stdout.write(f"{what}\n")


def main(case: str, rank: str, size: str, store: str, *arguments: str) -> None:
    dist.init_process_group("gloo", f"file://{store}", timedelta(seconds=60), int(size), int(rank))
    # Threads of gloo that outlive the interpreter abort the process.
    atexit.register(dist.destroy_process_group)
    for each in case.split(","):
        globals()[each](list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
