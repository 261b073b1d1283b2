"""The plan for an amount of a wish: coordinates on the local model that meet it, or the reason why there are none.

A plan costs no pass over data, as all that it needs has been measured at the point. So it can be made while a slider
moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from paretonav.errors import InfeasiblePreferenceError
from paretonav.geometry import FrontModel
from paretonav.objectives.problem import Split
from paretonav.steering.changes import Changes
from paretonav.steering.outcome import Outcome
from paretonav.steering.planning.along import along_the_front
from paretonav.steering.planning.doubt import doubt
from paretonav.steering.planning.nearest import nearest_outcome
from paretonav.steering.planning.programme import Programme, kinder
from paretonav.steering.planning.reasons import NOTHING_TO_TRADE, why_limited
from paretonav.steering.preferences import Fit, Wish

Array = NDArray[np.float64]

# Of the way up to where the model of the front turns round: close to that, a loss falls by next to nothing for a long
# way. Chosen, not measured; less makes more legs, more asks for what is hardly there.
_SAFE = 0.9
# An amount so small that a gain is in doubt (``doubt``) at any amount if it is at this one: gain and error of a small
# change are both in proportion to it.
_NEAR = 0.01
# Of the amount: a plan of which the model covers less is refused rather than begun. Chosen, not measured; with more,
# steps are refused that would have come half-way.
_WORTH = 0.1


@dataclass(frozen=True, eq=False)
class Plan:
    """Coordinates that meet an amount of a wish, and what the model of the front says of the point there.

    A step goes to where its plan leads and is judged by what that predicts; a preview shows it without a step.

    Attributes:
        wish: what was asked.
        amount: how much of it.
        coordinates: c [k]; the parameters move by -V c, the weights by B c (not around a model that is held).
        predicted: the changes, [m] of the losses on training data, [m] on validation data, and [p] of the metrics.
        errors: their standard errors, each empty where it is not known.
        weights: [m], those of the new point.
        exact: whether the named quantities change just as the wish says.
        attainable: whether they get at least as good as it says.
        on: the data on which losses are asked for.
        modelled: the part of the amount that the model around the point covers, in (0, 1]. What is predicted beyond it
            is a guess, see ``extended``.
        end: what ends the model there, in words; empty where it covers all.
    """

    wish: Wish
    amount: float
    coordinates: Array
    predicted: Outcome[Array]
    errors: Outcome[Array]
    weights: Array
    exact: bool = True
    attainable: bool = True
    on: Split = "train"
    modelled: float = 1.0
    end: str = ""

    @classmethod
    def along(
        cls,
        front: FrontModel,
        wish: Wish,
        amount: float,
        c: Array,
        *,
        exact: bool = True,
        attainable: bool = True,
    ) -> Plan:
        """The plan that goes to coordinates c, with its outcome as the front model predicts it."""
        split: Split = "train" if front.validation_response is None else "validation"
        return cls(
            wish,
            amount,
            c,
            Outcome(front.change(c), front.validation_change(c), front.metric_change(c), split),
            Outcome(*front.errors(c), split),
            front.weights_at(c),
            exact,
            attainable,
            front.asked,
        )

    def share(self, front: FrontModel, share: float) -> Plan:
        """The plan that goes only a part of the way."""
        if share == 1:
            return self
        inside = min(share, self.modelled)
        part = Plan.along(
            front,
            self.wish,
            inside * self.amount,
            inside * self.coordinates,
            exact=self.exact,
            attainable=self.attainable,
        )
        return part.extended(front, share * self.amount, self.end) if inside < share else part

    def extended(self, front: FrontModel, amount: float, end: str) -> Plan:
        """The plan for more than the model covers, whose predictions are a guess.

        What was asked for goes on in proportion. What others pay grows with the square, as on a convex front at most;
        what they gain does not go on.

        Args:
            front: that it is a plan of.
            amount: of the whole way, more than the plan's own.
            end: why the model goes no further, in words.
        """
        times = amount / self.amount
        return replace(
            self,
            amount=amount,
            coordinates=times * self.coordinates,
            predicted=Outcome(
                self._guessed(times, self.predicted.train),
                self._guessed(times, self.predicted.validation),
                times * self.predicted.metrics,
                self.predicted.split,
            ),
            errors=self.errors.each(lambda errors: times * errors),
            weights=front.weights_at(times * self.coordinates),
            modelled=self.modelled / times,
            end=end,
        )

    def _guessed(self, times: float, losses: Array) -> Array:
        """[m] (or none), changes of losses as they are guessed for so many times the amount."""
        grown = np.where(losses > 0, times**2, 1.0) * losses
        named = np.isin(np.arange(len(losses)), self.wish.named)
        return np.where(named, times * losses, grown)

    @property
    def changes(self) -> Array:
        """[q], predicted of losses and metrics as they are asked for."""
        return np.concatenate([self.predicted.on(self.on), self.predicted.metrics])

    @property
    def requested(self) -> Outcome[Changes]:
        """The changes that were asked for, of what the wish names."""
        m, wish = len(self.predicted.train), self.wish
        asked = list(zip(wish.named.tolist(), wish.changes(self.amount).tolist(), strict=True))
        losses = Changes({wish.names[i]: x for i, x in asked if i < m})
        return Outcome(
            train=Changes() if self.on == "validation" else losses,
            validation=losses if self.on == "validation" else Changes(),
            metrics=Changes({wish.names[i]: x for i, x in asked if i >= m}),
            split=self.on,
        )


def plan(front: FrontModel, wish: Wish, amount: float, *, spare: bool = True) -> Plan:
    """The cheapest coordinates that give the wished changes, to second order.

    Minimises the curvature cost ``1/2 c^T |S| c`` subject to ``change_i(c) = amount * unit * direction_i`` for the
    named quantities, the bounds on others, weights ``alpha + B c >= 0`` and the box. Where the front bends much the
    minimum is a local one, that to which shorter steps lead. A wish that takes the nearest outcome if there is no such
    plan (``Fit.NEAREST``) gets that. Around a model that is held the others are spared as far as there is room beside
    (``kinder``), unless ``spare`` says no. There the front ends nowhere, only what is known of it from there: if that
    is a tenth of the amount or more, the plan is for all of it, and says which part is known. A gain that may be noise
    on validation data and is a loss on training data is refused (``doubt``).

    Raises:
        InfeasiblePreferenceError: with the reason and the largest feasible amount.
    """
    wish = along_the_front(front, wish)
    amount = min(amount, wish.full)
    wish = wish.straight(amount)
    believed = within_the_model(front, wish)
    programme = Programme(front, believed)
    limit, c = programme.follow(amount)
    if limit >= amount:
        c = programme.cheapest(wish.changes(amount), c)
        c = kinder(programme, wish.changes(amount), c) if spare else c
        return _told(front, Plan.along(front, wish, amount, c), amount)
    if wish.fit is Fit.NEAREST:
        c, attainable = nearest_outcome(programme, amount, c)
        return Plan.along(front, wish, amount, c, exact=False, attainable=attainable)
    reason = why_limited(front, believed, limit, c)
    if front.anchor is not None:
        enough = _SAFE * limit >= _WORTH * amount
        if enough and amount < _most(front, wish):
            inside, c = programme.follow(_SAFE * limit)
            c = programme.cheapest(wish.changes(inside), c)
            c = kinder(programme, wish.changes(inside), c) if spare else c
            known = _told(front, Plan.along(front, wish, inside, c), amount)
            return known.extended(front, amount, reason)
        if not enough:
            reason += NOTHING_TO_TRADE
    raise InfeasiblePreferenceError(
        f"an amount of {amount:.3g} is not possible here: {reason}; the largest possible is {limit:.3g}",
        reason=reason,
        reach=limit,
    )


def reach(front: FrontModel, wish: Wish) -> float:
    """The largest amount for which there is a plan, to four digits; 0 if there is none."""
    if wish.fit is Fit.NEAREST:
        return wish.full
    wish = within_the_model(front, along_the_front(front, wish))
    programme = Programme(front, wish)
    limit = programme.follow(_most(front, wish))[0]
    near, c = programme.follow(min(limit, _NEAR))
    return 0.0 if near > 0 and doubt(front, Plan.along(front, wish, near, c)) else limit


def _told(front: FrontModel, made: Plan, amount: float) -> Plan:
    """The plan for this amount, or for the part of it that is known, unless its gain is in doubt."""
    reason = doubt(front, made)
    if reason:
        reason += NOTHING_TO_TRADE
        raise InfeasiblePreferenceError(
            f"an amount of {amount:.3g} is not possible here: {reason}", reason=reason, reach=0.0
        )
    return made


def within_the_model(front: FrontModel, wish: Wish) -> Wish:
    """The wish with no loss more than doubling: further than that no model around one point is believed.

    At a critical point the front itself ends somewhere; around a model that is held nothing else does. A gap that is
    all but closed is no measure of how far it may open.
    """
    if front.anchor is None:
        return wish
    losses = np.arange(len(wish.room)) < front.m
    room = np.where(losses & ~np.isin(wish.names, front.absolute), np.abs(front.values), np.inf)
    room[wish.named] = np.inf
    return replace(wish, room=np.minimum(wish.room, room))


def _most(front: FrontModel, wish: Wish) -> float:
    """The amount at which a loss on data would have come down to zero; none of these is ever negative."""
    if not front.sampled:
        return np.inf
    losses = [i for i in wish.improved if i < front.m and front.values[i] > 0]
    return min((front.values[i] / (wish.unit * abs(wish.direction[i])) for i in losses), default=np.inf)
