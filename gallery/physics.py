"""
Physics and measurements
========================

A physics-informed network learns the heat equation u_t = 0.05 u_xx, its boundary values, and noisy
measurements. The measurements are of a rod that conducts better than the equation says, so that no network
can satisfy all three: how much is each of them to be believed?
"""

import copy
import math

import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

ASSUMED, TRUE = 0.05, 0.08


def points(count, seed):
    """Places for the equation, for the boundary, and of measurements."""
    generator = torch.Generator().manual_seed(seed)
    x, beginning, measured = (2 * torch.rand(count, generator=generator) - 1 for _ in range(3))
    t, edge, when = (torch.rand(count, generator=generator) for _ in range(3))
    u = torch.exp(-TRUE * math.pi**2 * when) * torch.sin(math.pi * measured)
    return TensorDataset(
        x, t, beginning, edge, measured, when, u + 0.05 * torch.randn(count, generator=generator)
    )


train, validation, test = points(512, 0), points(512, 1), points(1024, 2)
torch.manual_seed(0)
model = torch.nn.Sequential(
    torch.nn.Linear(2, 32), torch.nn.Tanh(), torch.nn.Linear(32, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1)
)


def field(model, x, t):
    return model(torch.stack([x, t], 1))[:, 0]


def forward(model, batch):
    """All that the losses need: they must not call the model themselves."""
    x, t, beginning, edge, measured, when, _ = batch
    with torch.enable_grad():
        x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
        u = field(model, x, t)
        u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
        (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return {
        "residual": u_t - ASSUMED * u_xx,
        "beginning": field(model, beginning, torch.zeros_like(beginning)),
        "edges": field(model, -torch.ones_like(edge), edge).square()
        + field(model, torch.ones_like(edge), edge).square(),
        "there": field(model, measured, when),
    }


losses = {
    "equation": lambda outputs, batch: outputs["residual"].square().mean(),
    "boundary": lambda outputs, batch: (
        (outputs["beginning"] - torch.sin(math.pi * batch[2])).square().mean() + outputs["edges"].mean()
    ),
    "data": lambda outputs, batch: (outputs["there"] - batch[6]).square().mean(),
}

# %%
# Trained on the plain sum, which is what one does first: by Adam, until there was nothing better for twenty
# epochs.


def measured(data):
    outputs = forward(model, data.tensors)
    return {name: loss(outputs, data.tensors).item() for name, loss in losses.items()}


optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
best, kept, waited = float("inf"), None, 0
while waited < 20:
    for batch in DataLoader(train, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        outputs = forward(model, batch)
        sum(loss(outputs, batch) for loss in losses.values()).backward()
        optimizer.step()
    now, waited = sum(measured(validation).values()), waited + 1
    if now < best:
        best, kept, waited = now, copy.deepcopy(model.state_dict()), 0
model.load_state_dict(kept)
before = measured(test)
print(before)

# %%
# The measurements are to be believed more, and the boundary must stay as good as it is. Who pays is the
# equation.

problem = pn.ModelProblem(model, losses, train, validation, test=test, forward=forward)
nav = pn.Navigator(problem)
nav.start()
view = nav.preview(pn.Improve({"data": 1.0}, hold=["boundary"]), amount=0.1)
print(view)

# %%
step = nav.step(view)
print(step.explain())

# %%
# At new places, with measurements that nobody has seen:

after = measured(test)
for name in before:
    print(f"{name}: {before[name]:.5f} -> {after[name]:.5f} ({after[name] / before[name] - 1:+.1%})")

# %%
# As promised, the equation pays: its residual nearly doubles for a tenth less of the misfit, of which most is
# noise that no network can take away. The boundary is as good as it was.
#
# The middle of the right half cools down; before the step, after it, as the equation says, and as the rod
# does:

t = torch.linspace(0, 1, 50)
middle = torch.full_like(t, 0.5)
with torch.no_grad():
    now = field(model, middle, t)
    nav.undo()
    then = field(model, middle, t)
figure, axes = plt.subplots(figsize=(6, 3.5))
axes.plot(t, then, label="before")
axes.plot(t, now, label="after")
for speed, name in ((ASSUMED, "the equation"), (TRUE, "the rod")):
    axes.plot(t, torch.exp(-speed * math.pi**2 * t), ":", color="gray")
    axes.annotate(name, (1, math.exp(-speed * math.pi**2)), color="gray")
axes.set(xlabel="t", ylabel="u(0.5, t)")
axes.legend()
