"""The picture in the README: ten steps along the front of the overlaid digits.

Run: python bench/picture.py
"""

from __future__ import annotations

from pathlib import Path

import paretonav as pn
from paretonav.plotting import save_plot

WALK = [
    (pn.Improve({"west": 1.0}), 0.05),
    (pn.Improve({"west": 1.0}, hold=["east"]), 0.05),
    (pn.Improve({"south": 1.0}, hold=["west"]), 0.05),
    (pn.Improve({"south": 1.0}), 0.06),
    (pn.Improve({"south": 1.0}, hold=["east"]), 0.05),
    (pn.Improve({"east": 1.0}), 0.03),
    (pn.Improve({"east": 1.0}, hold=["south"]), 0.03),
    (pn.Improve({"east": 1.0}), 0.03),
    (pn.Improve({"west": 0.7, "east": 0.3}, units="absolute"), 0.04),
    (pn.Improve({"west": 1.0}, hold=["south"]), 0.04),
]


def main() -> None:
    nav = pn.Navigator(pn.problems.digits())
    nav.start()
    for preference, amount in WALK:
        step = nav.step(preference, amount)
        print(step.status, step.achieved)
    save_plot(nav, Path(__file__).parent.parent / "docs" / "digits.png", "front")


if __name__ == "__main__":
    main()
