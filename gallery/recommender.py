"""
A recommender that is less fond of what is popular
==================================================

Matrix factorisation learns from choices which of two items somebody prefers. What many people choose comes
out on top for everybody. The first loss is the order of items, the second one how much the scores push
popular ones. (The choices are simulated: 300 people whose tastes have three dimensions, and items whose
popularity falls like in a shop.)
"""

import copy

import torch
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

PEOPLE, ITEMS = 300, 150
generator = torch.Generator().manual_seed(0)
popularity = 1 / torch.arange(1.0, ITEMS + 1) ** 0.8
tastes = torch.randn(PEOPLE, 3, generator=generator) @ torch.randn(3, ITEMS, generator=generator)
chances = torch.softmax(tastes + popularity.log(), 1)
known = (popularity.log() - popularity.log().mean()) / popularity.log().std()


def choices(count):
    """Who has chosen what, and an item that was not chosen then."""
    who = torch.randint(PEOPLE, (count,), generator=generator)
    chosen = torch.multinomial(chances[who], 1, generator=generator)[:, 0]
    return TensorDataset(who, chosen, torch.randint(ITEMS, (count,), generator=generator))


train, validation, test = choices(9000), choices(3000), choices(3000)


class Factors(torch.nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.people, self.items = torch.nn.Embedding(PEOPLE, width), torch.nn.Embedding(ITEMS, width)
        self.bias = torch.nn.Embedding(ITEMS, 1)
        for table in (self.people, self.items, self.bias):
            torch.nn.init.normal_(table.weight, std=0.1)

    def forward(self, who, item):
        return (self.people(who) * self.items(item)).sum(1) + self.bias(item)[:, 0]


def forward(model, batch):
    return model(batch[0], batch[1]), model(batch[0], batch[2])


def order(outputs, batch):
    return torch.nn.functional.softplus(outputs[1] - outputs[0]).mean()


def push(outputs, batch):
    return (outputs[1] * known[batch[2]]).square().mean()


def measured(data):
    with torch.no_grad():
        outputs = forward(model, data.tensors)
    return {"order": order(outputs, data.tensors).item(), "push": push(outputs, data.tensors).item()}


# %%
# Trained with a small weight on the second loss, until the validation data stop improving.

torch.manual_seed(0)
model = Factors()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
best, kept, waited = float("inf"), None, 0
while waited < 2:
    for batch in DataLoader(train, batch_size=256, shuffle=True):
        optimizer.zero_grad()
        outputs = forward(model, batch)
        (order(outputs, batch) + 0.05 * push(outputs, batch)).backward()
        optimizer.step()
    now, waited = measured(validation), waited + 1
    if now["order"] + 0.05 * now["push"] < best:
        best, kept, waited = now["order"] + 0.05 * now["push"], copy.deepcopy(model.state_dict()), 0
model.load_state_dict(kept)
before = measured(test)
print(before)

# %%
# Choices of one person belong together.

problem = pn.ModelProblem(
    model,
    {"order": order, "push": push},
    train,
    validation,
    test=test,
    forward=forward,
    weights={"order": 1.0, "push": 0.05},
    groups={"validation": validation.tensors[0]},
)
nav = pn.Navigator(problem)
nav.start()
view = nav.preview(pn.Improve({"push": 1.0}), amount=0.3)
print(view)

# %%
step = nav.step(view)
print(step.explain())

# %%
after = measured(test)
for name in before:
    print(f"{name}: {before[name]:.3f} -> {after[name]:.3f} ({after[name] / before[name] - 1:+.1%})")

chart = pn.plotting.steps(nav.session)

# %%
# Which items are among everybody's first ten, before and after? Of the 30 most popular ones:

everybody, everything = torch.meshgrid(torch.arange(PEOPLE), torch.arange(ITEMS), indexing="ij")


def popular_ones():
    with torch.no_grad():
        first = model(everybody.flatten(), everything.flatten()).view(PEOPLE, ITEMS).topk(10).indices
    return (first < 30).float().mean().item()


now = popular_ones()
nav.undo()
print(f"{popular_ones():.1%} -> {now:.1%}")

# %%
# A third less push for 4 % of the order of items, as the preview has said. In the lists it is less of a
# change than in the scores: what is on top stays there until something else has overtaken it.
