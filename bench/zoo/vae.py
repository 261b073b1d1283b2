"""A variational autoencoder of digits: reconstruction against the distance from the prior."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.data import TensorDataset

from zoo.case import Batch, Case
from zoo.scans import digits
from zoo.training import Task, trained

_CODE = 6


class VAE(nn.Module):
    """One hidden layer each way; the noise comes from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(64, _CODE), nn.Linear(64, _CODE)
        self.decoder = nn.Sequential(nn.Linear(_CODE, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + noise * (0.5 * log_variance).exp()), mean, log_variance


def make(seed: int) -> Case:
    """Sixty epochs of Adam, noise drawn anew at every pass; the data that are brought hold one draw of it."""
    generator = torch.Generator().manual_seed(seed)
    parts = {split: scans.flatten(1) for split, (scans, _) in digits(seed).items()}
    data = {
        split: TensorDataset(x, torch.randn(len(x), _CODE, generator=generator)) for split, x in parts.items()
    }
    losses = {
        "reconstruction": lambda outputs, batch: (
            nn.functional.binary_cross_entropy_with_logits(outputs[0], batch[0], reduction="none")
            .sum(1)
            .mean()
        ),
        "kl": lambda outputs, batch: (  # noqa: ARG005
            -0.5 * (1 + outputs[2] - outputs[1].square() - outputs[2].exp()).sum(1).mean()
        ),
    }
    task = Task(losses, data["train"], data["validation"], data["test"], _forward)
    torch.manual_seed(seed)
    return trained("vae", VAE(), task, epochs=60, seed=seed)


def _forward(model: nn.Module, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    """In train mode with fresh noise, as always; in eval mode with the batch's own, so that losses are functions."""
    x, noise = batch
    found: tuple[Tensor, Tensor, Tensor] = model(x, torch.randn_like(noise) if model.training else noise)
    return found
