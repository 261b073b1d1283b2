"""A real language model between two kinds of text: three wishes, against what one would do without the library.

SmolLM2-135M with LoRA adapters (``pn.problems.language``) is adapted to code alone, by Adam, as long as that lowers the
loss on validation code. So it has forgotten some of its prose. Three wishes ask for prose back, each previewed and
taken. Beside them, each from the same start in the CPU time of a step, at a tenth of the rate (at the whole of it all
losses rise, as the start is where that has come to):

- **control**: the same training goes on; what it gains, nobody else may claim;
- **both**: it goes on with equal weights, and **prose**: on prose alone;
- **soup**: of the mixtures of the start's parameters and those of **prose** (rewarded soups, arXiv 2306.04488) the one
  that comes nearest to the wish on validation data. It takes a look at the mixtures more than the time of a step.

Losses are measured by code that shares nothing with the library's; changes are in per cent of the losses at the start.

Run: PYTHONPATH=bench python bench/language.py [--quick]      (first: python bench/fetch_data.py smollm2)
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import paretonav as pn
from paretonav.problems import code_and_prose, small_language_model, sources
from paretonav.problems.code_and_prose import KINDS
from paretonav.problems.language import LEARNING_RATE
from report import Row, write

Array = NDArray[np.float64]
State = dict[str, Tensor]
Split = Literal["train", "validation", "test"]

LAYERS, RANK = 2, 8
SAMPLES = 8  # of which curvature is measured: a product costs about three times as much as the same passes
FIRST = 30 - LAYERS
SIZES = {"train_size": 192, "validation_size": 96, "test_size": 192}
QUICK = {"train_size": 32, "validation_size": 32, "test_size": 32}
WISHES = (("prose", 0.01), ("prose", 0.02), ("prose", 0.03))
MIXTURES = (0.25, 0.5, 0.75, 1.0)
MINIBATCH = 8
RATE = 2 * LEARNING_RATE
CODE, BOTH, PROSE = {"code": 1.0}, {"code": 1.0, "prose": 1.0}, {"prose": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer examples, one epoch, one wish")
    quick = parser.parse_args().quick
    wishes = WISHES[:1] if quick else WISHES
    began = time.process_time()
    sizes: dict[str, Any] = QUICK if quick else SIZES
    run = Run(pn.problems.language(layers=LAYERS, rank=RANK, weights={"code": 1.0, "prose": 0.0}, **sizes))
    pretrained = run.losses()
    _say("pretrained", pretrained)
    epochs, epoch = run.adapt(1 if quick else 8)
    start, before = run.state(), run.losses()
    _say(f"adapted in {epochs} epochs of {epoch:.1f} s", before)
    gained = " and ".join(
        f"{_text(*changed(pretrained[part], before[part]))} on {part} data" for part in before
    )
    values = " / ".join(f"{x:.3f}" for x in before["test"].each.mean(0))
    rows: list[Row] = []

    def keep(row: Row) -> None:
        """Write the table as far as it is: a run that is ended leaves what it has."""
        rows.append(row)
        write(
            "language",
            "A language model between code and prose",
            rows,
            f"Adapted in {epochs} epochs of Adam on code alone, which changed the losses by {gained}; on test data "
            f"they are {values} nats a token then. An epoch takes {epoch:.1f} s of CPU, the whole run "
            f"{time.process_time() - began:.0f} s and {_peak():.1f} GiB of memory at most. Changes are in per cent, "
            f"{' / '.join(KINDS)}, with standard errors over texts.",
        )

    taken = steps(run, before, epoch, wishes, keep)
    rivals(run, start, before, epoch, float(np.median(taken or [epoch])), wishes, keep)


@dataclass(frozen=True, eq=False)
class Losses:
    """The losses of a model on a split.

    Attributes:
        each: [examples, kinds].
        texts: [examples], which of them are of the same texts.
    """

    each: Array
    texts: Array


class Run:
    """The model, its data, and what is done without the library.

    Args:
        problem: as the library takes it.
    """

    def __init__(self, problem: pn.ModelProblem) -> None:
        self.problem, self.model = problem, problem.model
        file = sources.local_folder() / small_language_model.FILE
        self._vocabulary = code_and_prose.occurring(
            code_and_prose.texts(), small_language_model.tokenizer(file)
        )
        read = {
            split: list(data) for split, data in problem.data.items()
        }  # as nobody else has the same batches
        self._batches = {split: [batch for batch, _ in batches] for split, batches in read.items()}
        self._train = _joined(self._batches["train"])

    def state(self) -> State:
        """A copy of the adapters."""
        return {name: p.detach().clone() for name, p in self.model.named_parameters() if p.requires_grad}

    def put(self, state: Mapping[str, Tensor]) -> None:
        """Write adapters into the model."""
        self.model.load_state_dict(state, strict=False)

    def losses(self, *splits: Split) -> dict[Split, Losses]:
        """Of the model as it is; by default on validation and test data."""
        with torch.no_grad():
            return {split: self._measured(split) for split in splits or ("validation", "test")}

    def adapt(self, most: int) -> tuple[int, float]:
        """Train on code while that lowers its validation loss; the epochs, and CPU seconds of one of both losses."""
        best, kept, state, spent = np.inf, 0, self.state(), []
        trained, code = self.trained(CODE, RATE, np.inf), KINDS.index("code")
        for epoch in range(1, most + 1):
            began = time.process_time()
            for _ in range(-(-len(self._train["texts"]) // MINIBATCH)):
                next(trained)
            spent.append(time.process_time() - began)
            now = float(self.losses("validation")["validation"].each[:, code].mean())
            print(f"epoch {epoch}: {now:.4f}", flush=True)
            if now >= best:
                break
            best, kept, state = now, epoch, self.state()
        self.put(state)
        return kept, len(KINDS) * float(np.median(spent))

    def trained(self, weights: Mapping[str, float], rate: float, seconds: float) -> Iterator[None]:
        """Minibatches of Adam on a weighted sum of losses, one at each ``next``, for so many seconds of CPU."""
        optimizer = torch.optim.Adam([p for p in self.model.parameters() if p.requires_grad], rate)
        generator, spent = torch.Generator().manual_seed(0), 0.0
        while True:
            for chosen in torch.randperm(len(self._train["texts"]), generator=generator).split(MINIBATCH):  # type: ignore[no-untyped-call]
                began = time.process_time()
                optimizer.zero_grad()
                batch = _picked(self._train, chosen)
                for kind, weight in weights.items():
                    (weight * self._each(batch, kind).mean()).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                spent += time.process_time() - began
                yield
                if spent >= seconds:
                    return

    def _measured(self, split: Split) -> Losses:
        found = [
            torch.stack([self._each(batch, kind) for kind in KINDS], 1) for batch in self._batches[split]
        ]
        texts = torch.cat([batch["texts"] for batch in self._batches[split]])
        return Losses(torch.cat(found).double().numpy(), texts.numpy())

    def _each(self, batch: Any, kind: str) -> Tensor:
        """The mean loss of each window of a kind."""
        logits = small_language_model.upper(self.model, batch["states"][kind], FIRST, self._vocabulary)
        place = torch.searchsorted(self._vocabulary, batch["tokens"][kind][:, 1:].contiguous())
        return nn.functional.cross_entropy(logits.transpose(1, 2), place, reduction="none").mean(1)


def steps(
    run: Run,
    before: Mapping[Split, Losses],
    epoch: float,
    wishes: Sequence[tuple[str, float]],
    keep: Callable[[Row], None],
) -> list[float]:
    """Keep the library's rows; the CPU seconds of the steps that were taken."""
    nav = pn.Navigator(run.problem, geometry=pn.Geometry(samples=SAMPLES))
    began = time.process_time()
    here = nav.start()
    spent = time.process_time() - began
    print(here, f"\n{here.anchor}\n{here.conflict}", flush=True)
    keep(_row("start", "", run, before, spent, epoch, cost=here.cost))
    taken = []
    for kind, amount in wishes:
        nav.go_to(0)
        began = time.process_time()
        try:
            preview = nav.preview(pn.Improve({kind: 1.0}), amount)
        except pn.InfeasiblePreferenceError as error:
            print(error, flush=True)
            spent = time.process_time() - began
            keep(_row("step", f"{kind} {amount:.1%}", run, before, spent, epoch, status="refused"))
            continue
        step = nav.step(preview)
        spent = time.process_time() - began
        print(step.explain(), flush=True)
        promised = _text([100 * preview.predicted.shown[name] / here.validation[name] for name in KINDS])
        asked, status = f"{kind} {amount:.1%}", str(step.status.value)
        keep(
            _row("step", asked, run, before, spent, epoch, previewed=promised, status=status, cost=step.cost)
        )
        taken += [spent] if step.status is not pn.StepStatus.REJECTED else []
    nav.go_to(0)
    return taken


def rivals(
    run: Run,
    start: State,
    before: Mapping[Split, Losses],
    epoch: float,
    seconds: float,
    wishes: Sequence[tuple[str, float]],
    keep: Callable[[Row], None],
) -> None:
    """Keep the rows of what one would do without the library, in the time of a step."""
    for name, weights in (("control", CODE), ("both", BOTH), ("prose", PROSE)):
        run.put(start)
        for _ in run.trained(weights, 0.1 * RATE, seconds):
            pass
        keep(_row(name, "", run, before, seconds, epoch))
    prose = run.state()
    looked = time.process_time()
    mixed = {t: {name: (1 - t) * start[name] + t * prose[name] for name in start} for t in MIXTURES}
    found = {}
    for t, state in mixed.items():
        run.put(state)
        found[t] = 0.01 * changed(before["validation"], run.losses("validation")["validation"])[0]
    looked = time.process_time() - looked
    for kind, amount in wishes:
        nearest = min(found, key=lambda t: abs(found[t][KINDS.index(kind)] + amount))
        run.put(mixed[nearest])
        name = f"soup, {1 - nearest:g} start + {nearest:g} prose"
        keep(_row(name, f"{kind} {amount:.1%}", run, before, seconds + looked, epoch))
    run.put(start)


def changed(before: Losses, after: Losses) -> tuple[Array, Array]:
    """How each loss has changed, in per cent, and the standard errors over the pairs of texts, each [kinds]."""
    size = 100 / np.abs(before.each.mean(0))
    change = (after.each - before.each) * size
    mean = change.mean(0)
    pairs = np.unique(before.texts)
    sums = np.stack([(change[before.texts == pair] - mean).sum(0) for pair in pairs])
    n = len(pairs)
    return mean, np.sqrt(n / (n - 1) * (sums**2).sum(0)) / len(change)


def _row(
    way: str,
    wish: str,
    run: Run,
    before: Mapping[Split, Losses],
    seconds: float,
    epoch: float,
    *,
    previewed: str = "",
    status: str = "",
    cost: pn.Cost | None = None,
) -> Row:
    after = run.losses()
    found = {split: _text(*changed(before[split], after[split])) for split in after}
    return {
        "way": way,
        "wish": wish,
        "status": status,
        "previewed, validation": previewed,
        "achieved, validation": found["validation"],
        "TEST": found["test"],
        "epochs": seconds / epoch,
        "forward passes": "" if cost is None else round(cost.forward_passes, 1),
        "gradient passes": "" if cost is None else round(cost.gradient_passes, 1),
        "products": "" if cost is None else cost.hessian_products,
    }


def _text(values: Sequence[float] | Array, errors: Array | None = None) -> str:
    if errors is None:
        return " / ".join(f"{x:+.2f}" for x in values)
    return " / ".join(f"{x:+.2f} ± {e:.2f}" for x, e in zip(values, errors, strict=True))


def _say(what: str, losses: Mapping[Split, Losses]) -> None:
    print(what, {split: found.each.mean(0).round(4).tolist() for split, found in losses.items()}, flush=True)


def _joined(batches: Sequence[Any]) -> Any:
    """The batches as one."""
    first = batches[0]
    if isinstance(first, Mapping):
        return {name: _joined([batch[name] for batch in batches]) for name in first}
    return torch.cat(list(batches))


def _picked(batch: Any, chosen: Tensor) -> Any:
    """Some examples of a batch."""
    if isinstance(batch, Mapping):
        return {name: _picked(part, chosen) for name, part in batch.items()}
    return batch[chosen]


def _peak() -> float:
    """GiB, of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
