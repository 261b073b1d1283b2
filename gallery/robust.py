"""
Robust against clean
====================

A small convolutional network reads handwritten digits. It is to read those, too, whose pixels somebody has
changed by up to a tenth, each in the direction that misleads the network most (the fast gradient sign method;
Goodfellow, Shlens, Szegedy, 2015). Who trains on such pictures pays with pictures that nobody has touched.
"""

import copy

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset, random_split

import paretonav as pn

scans, labels = (torch.tensor(array) for array in load_digits(return_X_y=True))
data = TensorDataset(scans.float().view(-1, 1, 8, 8) / 16, labels)
train, validation, test = random_split(data, [900, 450, 447], torch.Generator().manual_seed(0))


def attacked(model, pictures, labels):
    """The pictures as an attacker would change them: constants to whoever trains."""
    with torch.enable_grad():
        pictures = pictures.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(cross_entropy(model(pictures), labels, reduction="sum"), pictures)
    return (pictures + 0.1 * slope.sign()).clamp(0, 1).detach()


def forward(model, batch):
    return {"clean": model(batch[0]), "attacked": model(attacked(model, *batch))}


losses = {
    "clean": lambda outputs, batch: cross_entropy(outputs["clean"], batch[1]),
    "attacked": lambda outputs, batch: cross_entropy(outputs["attacked"], batch[1]),
}


def measured(part):
    batch = data[part.indices]
    outputs = forward(model, batch)
    return {
        "clean": losses["clean"](outputs, batch).item(),
        "attacked": losses["attacked"](outputs, batch).item(),
        "clean read": (outputs["clean"].argmax(1) == batch[1]).float().mean().item(),
        "attacked read": (outputs["attacked"].argmax(1) == batch[1]).float().mean().item(),
    }


# %%
# Trained on both, the clean pictures counting three times, until the validation data stop improving.

torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Conv2d(1, 12, 3, padding=1),
    torch.nn.ReLU(),
    torch.nn.Conv2d(12, 16, 3, stride=2, padding=1),
    torch.nn.ReLU(),
    torch.nn.Flatten(),
    torch.nn.Linear(256, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
best, kept, waited = float("inf"), None, 0
while waited < 4:
    for batch in DataLoader(train, batch_size=64, shuffle=True):
        outputs = forward(model, batch)
        optimizer.zero_grad()
        (3 * losses["clean"](outputs, batch) + losses["attacked"](outputs, batch)).backward()
        optimizer.step()
    now, waited = measured(validation), waited + 1
    if 3 * now["clean"] + now["attacked"] < best:
        best, kept, waited = 3 * now["clean"] + now["attacked"], copy.deepcopy(model.state_dict()), 0
model.load_state_dict(kept)
before = measured(test)
print(before)

# %%
# Now the attacked ones shall count for more.

problem = pn.ModelProblem(
    model, losses, train, validation, test=test, forward=forward, weights={"clean": 3.0, "attacked": 1.0}
)
nav = pn.Navigator(problem)
nav.start()
view = nav.preview(pn.Improve({"attacked": 1.0}), amount=0.05)
print(view)

# %%
step = nav.step(view)
print(step.explain())

# %%
# On test data:

after = measured(test)
for name in before:
    print(f"{name}: {before[name]:.3f} -> {after[name]:.3f}")

# %%
# Training had stopped by its rule, and yet there was a way on which the attacked pictures are read better and
# the clean ones no worse. That is not always so: ``here.conflict`` says whether there is a price.

chart = pn.plotting.steps(nav.session)
