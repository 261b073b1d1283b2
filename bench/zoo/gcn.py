"""A graph network on scans that look alike: what digit a node is, and what its lower half looks like."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case
from zoo.scans import digits
from zoo.training import Task, trained

_NEIGHBOURS = 6


class Propagate(nn.Module):
    """A linear layer, then the weighted mean over a node's neighbours."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor, edges: Tensor, strength: Tensor) -> Tensor:
        sent = self.linear(x)[edges[0]] * strength[:, None]
        return torch.zeros(len(x), sent.shape[1], dtype=sent.dtype).index_add(0, edges[1], sent)


class GCN(nn.Module):
    """Two layers over one graph, which it holds; it answers for the nodes that it is asked about."""

    features: Tensor
    edges: Tensor
    strength: Tensor

    def __init__(self, features: Tensor, edges: Tensor, outputs: int, width: int = 32) -> None:
        super().__init__()
        degree = torch.bincount(edges[1], minlength=len(features)).float()
        self.register_buffer("features", features)
        self.register_buffer("edges", edges)
        self.register_buffer("strength", (degree[edges[0]] * degree[edges[1]]).rsqrt())
        self.first, self.second = Propagate(features.shape[1], width), Propagate(width, width)
        self.digit, self.below = nn.Linear(width, 10), nn.Linear(width, outputs)

    def forward(self, nodes: Tensor) -> tuple[Tensor, Tensor]:
        h = nn.functional.relu(self.first(self.features, self.edges, self.strength))
        h = nn.functional.relu(self.second(h, self.edges, self.strength))[nodes]
        return self.digit(h), self.below(h)


def make(seed: int) -> Case:
    """Two hundred steps of Adam on all training nodes at once, the graph being known as a whole."""
    scans = digits(seed)
    pixels = torch.cat([x for x, _ in scans.values()])
    labels = torch.cat([y for _, y in scans.values()])
    above, below = pixels[:, :4].flatten(1), pixels[:, 4:].flatten(1)
    first = 0
    data = {}
    for split, (_, answers) in scans.items():
        nodes = torch.arange(first, first + len(answers))
        data[split] = TensorDataset(nodes, labels[nodes], below[nodes])
        first += len(answers)
    losses = {
        "digit": lambda outputs, batch: nn.functional.cross_entropy(outputs[0], batch[1]),
        "lower half": lambda outputs, batch: nn.functional.mse_loss(outputs[1], batch[2]),
    }
    task = Task(
        losses, data["train"], data["validation"], data["test"], _forward, weights={"lower half": 10.0}
    )
    torch.manual_seed(seed)
    model = GCN(above, _graph(above), below.shape[1])
    return trained(
        "gcn", model, task, rate=1e-2, batch_size=len(data["train"]), epochs=200, patience=20, seed=seed
    )


def _forward(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    found: tuple[Tensor, Tensor] = model(batch[0])
    return found


def _graph(x: Tensor) -> Tensor:
    """Edges [2, e] between each node and those nearest to it, both ways and to itself."""
    near = torch.cdist(x, x).topk(_NEIGHBOURS + 1, largest=False).indices
    a, b = torch.arange(len(x)).repeat_interleave(near.shape[1]), near.flatten()
    edges: Tensor = torch.unique(torch.cat([torch.stack([a, b]), torch.stack([b, a])], 1), dim=1)
    return edges
