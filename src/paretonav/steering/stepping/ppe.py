"""The published method as one configuration."""

from __future__ import annotations

from typing import TypedDict

from paretonav.geometry import Geometry
from paretonav.steering.stepping.correctors import MGDA
from paretonav.steering.stepping.predictors import PublishedProjection


class Configuration(TypedDict):
    """Keyword arguments of ``Navigator``."""

    predictor: PublishedProjection
    corrector: MGDA
    geometry: Geometry
    approach: MGDA


def ppe(
    *,
    step: float = 0.01,
    tries: int = 10,
    epochs: int = 15,
    batch_size: int = 256,
    learning_rate: float = 1e-3,
    damping: float = 0.1,
    max_iterations: int = 100,
    initial_epochs: int = 60,
    seed: int = 0,
) -> Configuration:
    """Preference Pareto Exploration as published: ``Navigator(problem, **pn.ppe())``.

    (Amakor, Sonntag, Peitz, "Interactive Pareto navigation for deep multi-task learning", arXiv 2606.19521.) The
    predictor projects the preferred descent direction on the tangent space, whose basis comes from MINRES with
    products of the exact Hessian; the corrector is MGDA. The defaults are the settings of the paper's experiments.

    Args:
        step: first step length along the unit direction.
        tries: step lengths tried at most.
        epochs: of the corrector.
        batch_size: of the corrector, and of the minibatch on which Hessian products are taken.
        learning_rate: of the corrector's SGD.
        damping: added to the Hessian.
        max_iterations: of MINRES.
        initial_epochs: of the MGDA training of an untrained model (SGD, learning rate 0.01, momentum 0.9).
        seed: of the minibatches' order.

    Where the text leaves a choice:

    1. A try halves the step length, and is accepted by Armijo's test on every selected objective; only losses
       are computed in a try, as the test needs no gradients there.
    2. The Hessian's minibatch is one frozen sample of the training data: with another one at every product MINRES
       has no operator to converge on.
    3. MINRES stops at a relative residual of 1e-4, or at ``max_iterations``.
    4. Of the corrector's epochs the point with the least mean objective is kept, among those at which every selected
       objective is below its value before the step: none of them dominates it. The predicted point itself is a
       candidate. A step whose selected objectives did not all fall is taken back.
    5. On functions, which have no minibatches, the corrector and the first approach are MGDA with Armijo's
       line search, and a projection on the box.
    6. Weight decay belongs to the problem (the paper trains with 1e-4); it is part of every objective's gradient
       and Hessian, beside the damping.
    7. Holding an objective has no place in the method: only the improved objectives act. The amount of a step
       is not used, its length is ``step``.
    """
    return {
        "predictor": PublishedProjection(step=step, tries=tries),
        "corrector": MGDA(epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, seed=seed),
        "geometry": Geometry(
            curvature="exact",
            samples=batch_size,
            damping=damping,
            tolerance=1e-4,
            max_iterations=max_iterations,
        ),
        "approach": MGDA(
            epochs=initial_epochs, learning_rate=0.01, momentum=0.9, batch_size=batch_size, seed=seed
        ),
    }
