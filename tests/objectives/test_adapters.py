"""A Hugging Face model with LoRA adapters, of which subsets of the parameters are steered."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, default_collate

from paretonav import ModelProblem
from paretonav.geometry import Curvature

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
peft = pytest.importorskip("peft")
transformers = pytest.importorskip("transformers")


class Sentences(Dataset[Any]):
    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        tokens = torch.randint(0, 20, (5,), generator=torch.Generator().manual_seed(index))
        return {
            "input_ids": tokens,
            "attention_mask": (torch.arange(5) < 3 + index % 3).long(),
            "labels": tokens[0] % 2,
        }


def bert() -> nn.Module:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=8,
        num_labels=2,
    )
    model: nn.Module = transformers.BertForSequenceClassification(config).double().eval()
    return model


def adapted() -> nn.Module:
    config = peft.LoraConfig(r=2, target_modules=["query", "value"], lora_dropout=0.1, task_type="SEQ_CLS")
    model: nn.Module = peft.get_peft_model(bert(), config).double().eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:  # B starts at zero, where A has no gradient
                p.copy_(0.3 * torch.randn(p.shape, generator=generator, dtype=p.dtype))
    return model


def collate(examples: list[Any]) -> Any:
    return transformers.BatchEncoding(default_collate(examples))


def problem(model: nn.Module, **options: Any) -> ModelProblem:
    return ModelProblem(
        model,
        {
            "fit": lambda o, batch: nn.functional.cross_entropy(o.logits, batch["labels"]),
            "size": lambda o, _: o.logits.square().mean(),
        },
        DataLoader(Sentences(), batch_size=4, collate_fn=collate),
        forward=lambda m, batch: m(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]),
        **options,
    )


@pytest.mark.parametrize("patterns", ["*lora_*", None])
def test_adapters_have_the_derivatives_of_differences(patterns: str | None) -> None:
    steered = problem(adapted(), parameters=patterns)
    assert len([name for name in steered.steered if "lora_" in name]) == 8
    assert patterns is None or all("lora_" in name for name in steered.steered)
    theta = steered.parameters()
    direction = torch.randn(len(theta), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    step = 1e-5
    (up, slopes_up), (down, slopes_down) = (
        steered.jacobian(theta + sign * step * direction) for sign in (1, -1)
    )
    losses, jacobian = steered.jacobian(theta)
    torch.testing.assert_close(jacobian @ direction, (up.mean - down.mean) / (2 * step), rtol=1e-6, atol=1e-8)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    product = Curvature(steered.curvature_sample(), theta, weights, kind="exact")(direction[None])[0]
    torch.testing.assert_close(
        product, weights @ (slopes_up - slopes_down) / (2 * step), rtol=1e-5, atol=1e-7
    )
    torch.testing.assert_close(steered.evaluate(theta).mean, losses.mean)


@pytest.mark.filterwarnings("ignore:`gradient_checkpointing_enable` is deprecated:FutureWarning")
def test_its_own_checkpoints_change_nothing() -> None:
    """They work in train mode only: that of the layers, whose parts stay in eval mode."""
    from transformers.modeling_layers import GradientCheckpointingLayer

    plain = problem(adapted(), parameters="*lora_*")
    model = adapted()
    model.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[operator]
    layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
    for layer in layers:
        layer.training = True
    runs = []
    layers[0].attention.register_forward_pre_hook(lambda *_: runs.append(1))  # type: ignore[union-attr]
    checkpointed = problem(model, parameters="*lora_*")
    theta = plain.parameters() + 0.1
    runs.clear()
    found = checkpointed.jacobian(theta)[1]
    assert len(runs) == 2 * (1 + 2), "on either batch one forward pass, and once again for each of two losses"
    torch.testing.assert_close(found, plain.jacobian(theta)[1], rtol=1e-12, atol=1e-14)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    products = [
        Curvature(each.curvature_sample(), theta, weights, kind="gauss-newton")(torch.ones_like(theta)[None])
        for each in (checkpointed, plain)
    ]
    torch.testing.assert_close(*products, rtol=1e-12, atol=1e-14)


def test_head_and_trunk_are_subsets_of_the_whole() -> None:
    whole = problem(bert())
    theta = whole.parameters()
    columns = dict(
        zip(
            whole.steered,
            torch.split(whole.jacobian(theta)[1], [p.numel() for p in whole._flat.tensors], dim=1),
            strict=True,
        )
    )
    for patterns in ("classifier.*", "bert.*", ["*.layer.1.*", "classifier.bias"]):
        part = problem(bert(), parameters=patterns)
        assert 0 < len(part.steered) < len(whole.steered)
        expected = torch.cat([columns[name] for name in part.steered], dim=1)
        torch.testing.assert_close(part.jacobian(part.parameters())[1], expected)


def test_an_adapted_model_is_exported_whole() -> None:
    model = adapted()
    steered = problem(model, parameters="*lora_*")
    state = steered.state_dict(steered.parameters() * 2)
    assert state.keys() == model.state_dict().keys()
    name = steered.steered[0]
    assert torch.equal(state[name], 2 * model.state_dict()[name])
