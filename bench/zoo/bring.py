"""A case as the library takes it: what somebody who has read the documentation writes."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

import paretonav as pn
from zoo.case import Case


def problem_of(case: Case, model: nn.Module) -> pn.ModelProblem:
    """The problem of a case, with ``model`` in the place of the case's own."""
    return pn.ModelProblem(
        model,
        {name: case.brought.get(name, loss) for name, loss in case.losses.items()},
        case.train,
        case.validation,
        forward=case.forward,
        parameters=case.parameters,
        weight_decay=case.weight_decay,
        weights=dict(case.weights),
        optimizer=partial(_optimizer, case),
        groups=case.groups.get("validation"),
    )


def _optimizer(case: Case, parameters: Any) -> Any:
    return case.optimizer(parameters, case.rate)
