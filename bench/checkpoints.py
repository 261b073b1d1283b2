"""Gradient checkpoints: memory and time of a start and a step of a deep network, with and without (m = 2).

The activations of the network are most of the memory; it is untrained, since what is measured does not depend on how
good a model is. Each way runs in processes of its own. Times are medians over runs in turns. Memory is the peak of a
process, less what it had after a start and a step of a small network of the same kind; for it the C library is told to
give freed memory back at once (MALLOC_MMAP_THRESHOLD_), or much of what is measured would be holes, and times longer.

Run: python bench/checkpoints.py [--blocks 48] [--examples 2048] [--repeats 3]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import paretonav as pn
from meters import peak_mib
from report import write

WIDTH, HIDDEN = 64, 256
_NO_HOLES = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


class Block(nn.Module):
    """One residual block; nearly all its memory is between its two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = self.down(nn.functional.gelu(self.up(self.norm(x))))
        return x + 0.1 * added


class Deep(nn.Module):
    """Blocks one after another, each behind a checkpoint or not."""

    def __init__(self, blocks: int, *, checkpoints: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(blocks))
        self.head = nn.Linear(WIDTH, 2)
        self.checkpoints = checkpoints

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=False) if self.checkpoints else block(x)
        outputs: Tensor = self.head(x)
        return outputs


def loss(k: int, outputs: Tensor, batch: list[Tensor]) -> Tensor:
    return (outputs[:, k] - batch[1][:, k]).square().mean()


def stepped(blocks: int, examples: int, *, checkpoints: bool) -> dict[str, float]:
    """A start and a step: the seconds of the processor, and where they led."""
    torch.manual_seed(0)
    x = torch.randn(examples, WIDTH)
    y = torch.stack([x[:, :8].sum(1).sin(), x[:, 4:12].sum(1).cos()], 1)
    data = torch.utils.data.TensorDataset(x, y)
    began = time.process_time()
    problem = pn.ModelProblem(
        Deep(blocks, checkpoints=checkpoints),
        {"a": partial(loss, 0), "b": partial(loss, 1)},
        data,
        data,
        batch_size=examples,
    )
    nav = pn.Navigator(problem, geometry=pn.Geometry(samples=examples))
    nav.start()
    started = time.process_time()
    step = nav.step(pn.Improve({"a": 1.0}), amount=0.02)
    return {
        "parameters": len(problem.parameters()),
        "start s": started - began,
        "step s": time.process_time() - started,
        "loss a": step.point.validation["a"],
    }


def alone(blocks: int, examples: int, *, checkpoints: bool) -> dict[str, float]:
    """The same in this process, with its peak in MiB beyond what any such run takes."""
    stepped(2, 64, checkpoints=True)
    base = peak_mib()
    return stepped(blocks, examples, checkpoints=checkpoints) | {"peak MiB": peak_mib() - base}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=48)
    parser.add_argument("--examples", type=int, default=2048)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", choices=("with", "without"), help="one way, in this process, as JSON")
    options = parser.parse_args()
    size = (options.blocks, options.examples)
    if options.alone:
        print(json.dumps(alone(*size, checkpoints=options.alone == "with")))
        return
    ways = ("without", "with")

    def measured(way: str, environment: dict[str, str]) -> dict[str, float]:
        command = [
            sys.executable,
            __file__,
            "--alone",
            way,
            "--blocks",
            str(size[0]),
            "--examples",
            str(size[1]),
        ]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )
        print(way, done.stdout, end="", flush=True)
        result: dict[str, float] = json.loads(done.stdout)
        return result

    memory = {way: measured(way, _NO_HOLES)["peak MiB"] for way in ways}
    runs = [{way: measured(way, {}) for way in ways} for _ in range(options.repeats)]
    rows: list[dict[str, object]] = [
        {
            "checkpoints": way,
            "peak MiB": round(memory[way]),
            **{
                f"{what}, CPU s": statistics.median(run[way][f"{what} s"] for run in runs)
                for what in ("start", "step")
            },
            "loss a after it": f"{runs[0][way]['loss a']:.6f}",
        }
        for way in ways
    ]
    times = [statistics.median(r[way]["start s"] + r[way]["step s"] for r in runs) for way in ways]
    n = int(runs[0]["with"]["parameters"])
    write(
        "checkpoints",
        f"Gradient checkpoints in a network of {size[0]} blocks, {n:,} parameters, m = 2",
        rows,
        f"{size[1]} examples in one batch, and in the curvature sample. Checkpoints leave "
        f"{memory['with'] / memory['without']:.2f} of the memory and take {times[1] / times[0]:.2f} times as long. A "
        f"vector of all parameters has {4 * n / 2**20:.0f} MiB.",
    )


if __name__ == "__main__":
    main()
