"""
A variational autoencoder
=========================

It draws digits from six numbers. One loss is how well, the other one how far the codes are from the prior,
from which new digits are drawn. The weight between the two (the beta of a beta-VAE) is chosen before the
training; here it is changed afterwards.
"""

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

CODE = 6
pictures = torch.tensor(load_digits().data).float() / 16
pictures = pictures[torch.randperm(len(pictures), generator=torch.Generator().manual_seed(0))]


class VAE(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.Sequential(
            torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 2 * CODE)
        )
        self.decoder = torch.nn.Sequential(
            torch.nn.Linear(CODE, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64)
        )

    def forward(self, pictures, noise):
        mean, log_variance = self.encoder(pictures).chunk(2, 1)
        return self.decoder(mean + noise * (log_variance / 2).exp()), mean, log_variance


def reconstruction(outputs, batch):
    return binary_cross_entropy_with_logits(outputs[0], batch[0], reduction="none").sum(1).mean()


def divergence(outputs, batch):
    return -0.5 * (1 + outputs[2] - outputs[1].square() - outputs[2].exp()).sum(1).mean()


# %%
# In training the noise is new at every pass. To be steered, a model must be a function of its data: so each
# picture comes with one draw of the noise.

torch.manual_seed(0)
train, validation, test = (
    TensorDataset(part, torch.randn(len(part), CODE)) for part in pictures.split([900, 450, 447])
)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for _ in range(60):
    for batch in DataLoader(train, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        outputs = model(batch[0], torch.randn_like(batch[1]))
        (reconstruction(outputs, batch) + divergence(outputs, batch)).backward()
        optimizer.step()


def measured():
    with torch.no_grad():
        outputs = model(*test.tensors)
    return {f.__name__: f(outputs, test.tensors).item() for f in (reconstruction, divergence)}


before = measured()
print(before)

# %%
# Codes nearer to the prior, for better new digits, in two steps.

problem = pn.ModelProblem(
    model.eval(),
    {"reconstruction": reconstruction, "divergence": divergence},
    train,
    validation,
    test=test,
    forward=lambda model, batch: model(*batch),
)
nav = pn.Navigator(problem)
nav.start()
view = nav.preview(pn.Improve({"divergence": 1.0}), amount=0.1)
print(view)

# %%
for _ in range(2):
    step = nav.step(pn.Improve({"divergence": 1.0}), amount=0.1)
    print(step)

# %%
# On test data:

after = measured()
for name in before:
    print(f"{name}: {before[name]:.2f} -> {after[name]:.2f} ({after[name] / before[name] - 1:+.1%})")

# %%
# A fifth nearer to the prior for some 3 % of the reconstruction, as was foreseen.
#
# New digits from the same codes, above before the steps and below after them:

codes = torch.randn(10, CODE, generator=torch.Generator().manual_seed(1))
with torch.no_grad():
    now = model.decoder(codes).sigmoid()
    nav.go_to(0)
    then = model.decoder(codes).sigmoid()
figure, axes = plt.subplots(2, 10, figsize=(8, 1.8))
for axis, picture in zip(axes.flat, torch.cat([then, now]), strict=True):
    axis.imshow(picture.view(8, 8).numpy(), cmap="gray_r")
    axis.axis("off")
