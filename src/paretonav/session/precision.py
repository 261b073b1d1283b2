"""Parameters in less room than they take in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

Precision = Literal["full", "half", "delta"]
"""As they are; in float16; or the difference from the first point in float16."""


def packed(theta: Tensor, precision: Precision, first: Callable[[], Tensor] | None) -> Tensor:
    """Parameters [n] as they are stored.

    Args:
        theta: the parameters.
        precision: how.
        first: gives those of the first point, or None for that point itself, which is always stored as it is.
    """
    if precision == "full" or first is None:
        return theta
    half = (theta - first() if precision == "delta" else theta).to(torch.float16)
    # What is too large for float16 is stored as it is, and told by its dtype.
    return half if bool(half.isfinite().all()) else theta.to(torch.promote_types(theta.dtype, torch.float32))


def unpacked(
    stored: Tensor, precision: Precision, dtype: torch.dtype, first: Callable[[], Tensor] | None
) -> Tensor:
    """Parameters [n] in their own dtype, from what ``packed`` made of them."""
    if precision == "full" or first is None or stored.dtype != torch.float16:
        return stored.to(dtype)
    theta = stored.to(dtype)
    return theta + first().to(theta.device) if precision == "delta" else theta
