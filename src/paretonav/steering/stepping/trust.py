"""How far the model of the front is believed, and how much is spent on measuring it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paretonav.geometry import FrontModel, Geometry
from paretonav.objectives import Problem

Array = NDArray[np.float64]

# What the adaptation comes to on real problems is in bench/results/adaptation.md.
_ERROR = 0.05  # of a prediction: one that is no further off is good enough, half of what acceptance forgives
_WASTE = 0.05  # of a step: what an inexact tangent may lose of it as joint gain
# The radius, as the largest relative change of a loss in one leg, least and most: shorter legs are not worth their
# cost, in longer ones a loss would vanish or more than double. And what it is multiplied by from one leg to the next,
# least and most. Chosen, not measured; factors like these are usual for trust regions.
_RADII, _FACTORS = (0.02, 1.0), (0.25, 2.0)
# Examples that the curvature is measured on, least and most: with fewer the directions follow the noise, with more the
# products take longer than all else. Chosen, not measured.
_SAMPLES = (512, 8192)
# Relative residuals of the solves, least and most. What looser solves do is in bench/results/ablation.md.
_TOLERANCES = (0.02, 0.15)
# The first sample is one of so many parts of the data; see ``first_geometry`` for the reckoning.
_FIRST_PART = 6
# The same around a model that is held, with the fewest examples: it takes more products, and they need not be as good,
# since what a direction does is measured.
_HELD_PART, _HELD_LEAST = 24, 256


def first_geometry(problem: Problem) -> Geometry:
    """How the front is measured until predictions have failed or come true.

    The curvature products of a step, about 18 that cost three forward passes over the sample each, are to take no more
    than its passes over all the data, which come to about nine. So the sample is a sixth of that, within limits.
    """
    standard = Geometry()
    if problem.examples is None or standard.samples is None:
        return standard
    if problem.comes_trained:
        return replace(
            standard, samples=min(standard.samples, max(_HELD_LEAST, problem.examples // _HELD_PART))
        )
    return replace(standard, samples=min(standard.samples, max(_SAMPLES[0], problem.examples // _FIRST_PART)))


@dataclass(frozen=True)
class Trust:
    """A trust region in objective space, and the effort behind the model inside it.

    After every leg of a step the prediction is set against what was achieved, as in a trust region (Conn, Gould, Toint,
    "Trust-region methods", SIAM 2000, chapter 6); here the effort follows, too:

    - the *radius* is the longest leg that is taken in one go. A prediction to second order is off by a part that grows
      with the square of the length, so the radius goes to where it would be off by 5 %;
    - an error that the length does not explain is one of the sample: it is doubled, and halved where the error is
      small;
    - an inexact tangent leads beside the front, which shows as joint gain on arrival: where this *waste* is more than
      a twentieth of what was to change, the solves get tighter, where it is little, looser;
    - a solve that does not converge gets more damping.

    Attributes:
        radius: the largest relative change of any loss in one leg.
        geometry: what the tangents are measured with.
        adapts: whether any of this changes.
    """

    radius: float
    geometry: Geometry
    adapts: bool

    def length(self, front: FrontModel, change: Array) -> float:
        """The length of a change of the losses that are asked for [m]: the largest part of a loss's size.

        A gap between groups that has been closed counts as a twentieth of the largest loss: no step would keep it to a
        part of its own size.
        """
        return float((np.abs(change) / front.sizes_of(front.asked_losses)).max())

    def share(self, front: FrontModel, change: Array) -> float:
        """The share of a planned change that is within the radius."""
        return float(min(1.0, self.radius / max(self.length(front, change), 1e-300)))

    def after(self, leg: Leg) -> Trust:
        """The trust for the next leg."""
        if not self.adapts:
            return self
        radius = self.radius
        if leg.error > _ERROR:
            radius = min(radius, leg.length * float(np.clip(np.sqrt(_ERROR / leg.error), _FACTORS[0], 1.0)))
        elif leg.length > 0.5 * radius:
            longer = min(_FACTORS[1], float(np.sqrt(_ERROR / max(leg.error, 1e-9))))
            radius = min(_RADII[1], max(radius, leg.length * longer))
        return replace(self, radius=max(radius, _RADII[0]), geometry=self._effort(leg))

    def _effort(self, leg: Leg) -> Geometry:
        geometry = self.geometry
        samples, tolerance = geometry.samples, geometry.tolerance
        if samples is not None and leg.length <= 0.5 * self.radius and leg.error > _ERROR:
            samples = min(2 * samples, max(samples, _SAMPLES[1]))
        elif samples is not None and leg.error < 0.1 * _ERROR:
            samples = max(samples // 2, min(samples, _SAMPLES[0]))
        if tolerance is not None and leg.waste is not None:
            if leg.waste > _WASTE:
                tolerance = max(tolerance / 2, min(tolerance, _TOLERANCES[0]))
            elif leg.waste < 0.25 * _WASTE:
                tolerance = min(1.5 * tolerance, max(tolerance, _TOLERANCES[1]))
        damping = geometry.damping
        if leg.struggled:
            damping = 4 * leg.damping if leg.damping > 0 else None
        return replace(geometry, samples=samples, tolerance=tolerance, damping=damping)


@dataclass(frozen=True)
class Leg:
    """How one leg went.

    Attributes:
        length: of the predicted change, relative to the losses.
        error: |predicted - achieved| / |predicted|.
        waste: joint gain on arrival, beyond that at the start, relative to the largest change; None if not known.
        struggled: whether a solve did not converge.
        damping: that was used.
    """

    length: float
    error: float
    waste: float | None
    struggled: bool
    damping: float
