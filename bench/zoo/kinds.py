"""All kinds by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zoo import adversarial, fairness, gcn, gpt, gru, lenet, mlp, pinn, recommender, resnet, targets, vae
from zoo.case import Case

KINDS: Mapping[str, Callable[[int], Case]] = {
    "mlp-narrow": mlp.narrow,
    "mlp-wide": mlp.wide,
    "lenet": lenet.make,
    "resnet": resnet.make,
    "pinn-stopped": pinn.stopped,
    "pinn-converged": pinn.converged,
    "vae": vae.make,
    "fgsm": adversarial.fgsm,
    "pgd": adversarial.pgd,
    "gru": gru.make,
    "gcn": gcn.make,
    "recommender": recommender.make,
    "gpt": gpt.full,
    "gpt-lora": gpt.lora,
    "fairness-mlp": fairness.mlp,
    "fairness-logistic": fairness.logistic,
    "targets": targets.make,
}
