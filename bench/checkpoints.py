"""Gradient checkpoints: memory and time of a start and a step of a deep network, with and without (m = 2).

Two losses of a residual network whose activations are most of the memory, trained for a few epochs by nobody: what is measured
does not depend on how good the model is. Each way runs in a process of its own, twice the least time is taken; memory
is the process's peak, less what it had before the model was made.

Run: python bench/checkpoints.py [--blocks 48] [--examples 2048]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import paretonav as pn
from meters import peak_mib
from report import write

WIDTH, HIDDEN = 64, 256


class Block(nn.Module):
    """One residual block; nearly all its memory is between its two layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * self.down(nn.functional.gelu(self.up(self.norm(x))))


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
        return self.head(x)


def run(blocks: int, examples: int, *, checkpoints: bool) -> dict[str, float]:
    """A start and a step, in this process: MiB at most and seconds of the processor, phase by phase."""
    torch.manual_seed(0)
    x = torch.randn(examples, WIDTH)
    y = torch.stack([x[:, :8].sum(1).sin(), x[:, 4:12].sum(1).cos()], 1)
    data = torch.utils.data.TensorDataset(x, y)
    base = peak_mib()
    model = Deep(blocks, checkpoints=checkpoints)
    problem = pn.ModelProblem(
        model,
        {name: (lambda o, b, k=k: (o[:, k] - b[1][:, k]).square().mean()) for k, name in enumerate("ab")},
        data,
        data,
        batch_size=examples,
    )
    nav = pn.Navigator(problem, geometry=pn.Geometry(samples=examples))
    began = time.process_time()
    nav.start()
    started = time.process_time()
    step = nav.step(pn.Improve({"a": 1.0}), amount=0.02)
    ended = time.process_time()
    cost = problem.cost
    print(step.status, cost, file=sys.stderr)
    return {
        "start s": started - began,
        "step s": ended - started,
        "MiB": peak_mib() - base,
        "parameters": len(problem.parameters()),
        "loss a": step.point.validation["a"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=48)
    parser.add_argument("--examples", type=int, default=2048)
    parser.add_argument("--alone", choices=("with", "without"), help="one way, in this process, as JSON")
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(run(options.blocks, options.examples, checkpoints=options.alone == "with")))
        return
    found = {}
    for way in ("without", "with"):
        command = [sys.executable, __file__, "--alone", way, "--blocks", str(options.blocks)]
        command += ["--examples", str(options.examples)]
        found[way] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main()
