"""Memory by the number of parameters: how many vectors of all parameters a start and a step hold at most.

A wide network on few examples, so that vectors of all parameters are all that counts. Each size runs in a process of
its own; memory is the peak, less what the process had once the model was made, in vectors of n numbers of 4 bytes. The
C library is told to give freed memory back at once (MALLOC_MMAP_THRESHOLD_).

Run: python bench/vectors.py [--sizes 1000000 10000000 30000000] [--losses 2 4]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from functools import partial

import torch
from torch import Tensor, nn

import paretonav as pn
from meters import peak_mib
from report import write

INPUTS, EXAMPLES = 1000, 48
_NO_HOLES = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def loss(k: int, outputs: Tensor, batch: list[Tensor]) -> Tensor:
    return (outputs[:, k] - batch[1][:, k]).square().mean()


def stepped(n: int, m: int) -> dict[str, float]:
    """A start and a step with about n parameters and m losses: MiB at the end of each, beyond those of the model."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(INPUTS, n // INPUTS), nn.Tanh(), nn.Linear(n // INPUTS, m))
    x = torch.randn(EXAMPLES, INPUTS)
    y = torch.stack([x[:, k : k + 20].sum(1).sin() for k in range(m)], 1)
    data = torch.utils.data.TensorDataset(x, y)
    base = peak_mib()
    problem = pn.ModelProblem(model, {f"loss {k}": partial(loss, k) for k in range(m)}, data, data)
    nav = pn.Navigator(problem)
    nav.start()
    start = peak_mib() - base
    nav.step(pn.Improve({"loss 0": 1.0}), amount=0.02)
    return {"parameters": len(problem.parameters()), "start": start, "step": peak_mib() - base}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000, 30_000_000])
    parser.add_argument("--losses", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--alone", action="store_true", help="the first size alone, in this process, as JSON")
    options = parser.parse_args()
    if options.alone:
        stepped(10_000, options.losses[0])  # imports
        print(json.dumps(stepped(options.sizes[0], options.losses[0])))
        return
    rows: list[dict[str, object]] = []
    for m in options.losses:
        for n in options.sizes:
            command = [sys.executable, __file__, "--alone", "--sizes", str(n), "--losses", str(m)]
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | _NO_HOLES
            )
            found = json.loads(done.stdout)
            vector = 4 * found["parameters"] / 2**20
            rows.append(
                {
                    "parameters": found["parameters"],
                    "losses": m,
                    "MiB / vector": vector,
                    "start, MiB": round(found["start"]),
                    "start, vectors": found["start"] / vector,
                    "step, MiB": round(found["step"]),
                    "step, vectors": found["step"] / vector,
                }
            )
            print(rows[-1], flush=True)
    write(
        "vectors",
        "Vectors of all parameters that a start and a step hold",
        rows,
        f"A network of {INPUTS} inputs and one wide layer, {EXAMPLES} examples. Beyond the model's own parameters.",
    )


if __name__ == "__main__":
    main()
