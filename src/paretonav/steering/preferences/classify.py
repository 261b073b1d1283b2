"""Sort the objectives into classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from paretonav.errors import PreferenceError
from paretonav.steering.preferences.checks import disjoint, names, numbers, proportional
from paretonav.steering.preferences.terms import Terms
from paretonav.steering.preferences.wish import Situation, Wish


@dataclass(frozen=True, repr=False)
class Classify(Terms):
    """Say of each loss or metric what is to become of it, as in NIMBUS.

    (Miettinen, Mäkelä, "Interactive bundle-based method for nondifferentiable multiobjective optimization: NIMBUS",
    Optimization 34, 1995; "Synchronous approach in interactive multiobjective optimization", EJOR 170, 2006.) There a
    scalar problem is solved anew; here the classes are one step along the front, and its ``amount`` says how far.

    Args:
        improve: better, as far as the amount says.
        improve_to: name -> value: better, but only up to that value. What has come that far may pay up to it.
        free: may change in any way. So may everything that is not named: the class is there to be complete.
        hold: shall not move. (In NIMBUS it may improve; here it is kept on both sides, as in Improve.)
        allow: as in Improve.
        on: as in Improve.
        units: as in Improve: in these, ``improve`` and ``improve_to`` improve equally. A step's ``amount`` is the
            relative improvement of the first of them (in units of ranges, its improvement in parts of its range).

    Example:
        >>> Classify(improve=["age"], improve_to={"marital": 0.4}, allow={"education": 0.7}).improve
        ('age',)
    """

    improve: Sequence[str] = field(default=())
    improve_to: Mapping[str, float] = field(default_factory=dict)
    free: Sequence[str] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for what in ("improve", "free"):
            object.__setattr__(self, what, names(getattr(self, what), what))
        object.__setattr__(self, "improve_to", numbers(self.improve_to, "improve_to", finite=True))

    def wish(self, at: Situation) -> Wish:
        at.require_known((*self.improve, *self.improve_to, *self.hold, *self.allow, *self.free))
        disjoint(
            {
                "is improved": self.improve,
                "is improved up to a value": self.improve_to,
                "is held": self.hold,
                "has a bound": self.allow,
                "is free": self.free,
            }
        )
        left = {
            name: at.sense(name) * (at.values[at.index(name)] - value)
            for name, value in self.improve_to.items()
        }
        caps = {name: gap for name, gap in left.items() if gap > 0}
        arrived = {name: self.improve_to[name] for name in left if name not in caps}
        improved = (*self.improve, *caps)
        if not improved:
            raise PreferenceError(
                f"{' and '.join(arrived)} already is where it is to improve to; improve something else"
                if arrived
                else "nothing is to improve; name at least one objective or metric in improve or improve_to"
            )
        changes = {name: -at.sense(name) for name in improved} | dict.fromkeys(self.hold, 0.0)
        return proportional(at, changes, self.units, {**self.allow, **arrived}, caps)
