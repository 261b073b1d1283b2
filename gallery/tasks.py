"""
Two tasks, one network
======================

Two handwritten digits are laid over each other, and one network reads both, through six features that the
tasks have to share. The digits come with scikit-learn.
"""

import copy

import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

scans, labels = (torch.tensor(array) for array in load_digits(return_X_y=True))
scans = scans.float().view(-1, 8, 8) / 16


def pairs(first, last, count, seed):
    """Two of the scans from ``first`` to ``last``: one on the left, one on the right, which meet in the middle."""
    which = torch.randint(first, last, (2, count), generator=torch.Generator().manual_seed(seed))
    picture = torch.zeros(count, 8, 12)
    picture[:, :, :8] += scans[which[0]]
    picture[:, :, 4:] += scans[which[1]]
    return TensorDataset(picture.clamp(max=1), labels[which[0]], labels[which[1]]), which[0]


(train, _), (validation, kin), (test, _) = (
    pairs(0, 900, 3000, 0),
    pairs(900, 1350, 1500, 1),
    pairs(1350, 1797, 3000, 2),
)

# %%
# Trained on the plain sum of both losses, by Adam, with early stopping.


def left(outputs, batch):
    return cross_entropy(outputs[:, :10], batch[1])


def right(outputs, batch):
    return cross_entropy(outputs[:, 10:], batch[2])


def measured(data):
    with torch.no_grad():
        outputs = model(data.tensors[0])
    return {"left": left(outputs, data.tensors).item(), "right": right(outputs, data.tensors).item()}


torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Flatten(),
    torch.nn.Linear(96, 64),
    torch.nn.ReLU(),
    torch.nn.Linear(64, 6),
    torch.nn.ReLU(),
    torch.nn.Linear(6, 20),
)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
best, kept, waited = float("inf"), None, 0
while waited < 3:
    for batch in DataLoader(train, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        outputs = model(batch[0])
        (left(outputs, batch) + right(outputs, batch)).backward()
        optimizer.step()
    now, waited = sum(measured(validation).values()), waited + 1
    if now < best:
        best, kept, waited = now, copy.deepcopy(model.state_dict()), 0
model.load_state_dict(kept)
before = measured(test)
print(before)

# %%
# Every scan is in several pictures, which are no independent examples. ``groups`` says which belong together,
# so that the standard errors are not too small.

problem = pn.ModelProblem(
    model.eval(), {"left": left, "right": right}, train, validation, test=test, groups={"validation": kin}
)
nav = pn.Navigator(problem)
here = nav.start()
print(here.conflict["left"])

# %%
# So the two stand against each other. What would 5 % less of the left one cost?

view = nav.preview(pn.Improve({"left": 1.0}), amount=0.05)
print(view)

# %%
step = nav.step(view)
print(step)

# %%
# On test data:

after = measured(test)
for name in before:
    print(f"{name}: {before[name]:.3f} -> {after[name]:.3f} ({after[name] / before[name] - 1:+.1%})")

# %%
# Both came nearly as predicted, on pictures of digits that neither the training nor the step has seen.
# Whether the price is worth it, no library knows; but it was known before it was paid.

chart = pn.plotting.steps(nav.session)
