"""
A language model of code and prose
==================================

A tiny transformer predicts the next character of Python's own source code, and of the English in its
reference manual: both come with every Python. How much of each was in the training decides which of the two
it is better at. Here that is changed afterwards.
"""

import sysconfig
from pathlib import Path
from pydoc_data.topics import topics

import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

import paretonav as pn

LENGTH, ALPHABET, WIDTH = 32, 128, 32
MODULES = (
    "argparse ast calendar csv difflib enum fractions heapq inspect pathlib random shutil statistics string"
)


def windows(texts, some):
    """Pieces of the texts, and which text each is from."""
    pieces, sources = [], []
    for place, text in enumerate(texts):
        letters = torch.tensor([min(ord(letter), ALPHABET - 1) for letter in text[: 400 * LENGTH]])
        found = letters[: len(letters) // LENGTH * LENGTH].view(-1, LENGTH)
        pieces.append(found)
        sources.append(torch.full((len(found),), place))
    chosen = torch.randperm(sum(map(len, pieces)), generator=torch.Generator().manual_seed(0))[:some]
    return torch.cat(pieces)[chosen], torch.cat(sources)[chosen]


folder = Path(sysconfig.get_paths()["stdlib"])
code = [(folder / f"{name}.py").read_text("utf-8") for name in MODULES.split()]
prose = [topics[name] for name in sorted(topics)]


def part(which, count):
    """Every fifth text is for validation, every fifth for the test."""
    (a, a_from), (b, b_from) = (
        windows([text for n, text in enumerate(texts) if n % 5 in which], count) for texts in (code, prose)
    )
    kind = torch.cat([torch.zeros(len(a)), torch.ones(len(b))]).long()
    return TensorDataset(torch.cat([a, b]), kind), torch.cat([a_from, 1000 + b_from])


(train, _), (validation, kin), (test, _) = part((0, 1, 2), 1200), part((3,), 500), part((4,), 500)


class Transformer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.letters, self.places = torch.nn.Embedding(ALPHABET, WIDTH), torch.nn.Embedding(LENGTH, WIDTH)
        self.query, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.think = torch.nn.Sequential(
            torch.nn.LayerNorm(WIDTH),
            torch.nn.Linear(WIDTH, 4 * WIDTH),
            torch.nn.GELU(),
            torch.nn.Linear(4 * WIDTH, WIDTH),
        )
        self.first, self.last = torch.nn.LayerNorm(WIDTH), torch.nn.Linear(WIDTH, ALPHABET)

    def forward(self, text):
        x = self.letters(text) + self.places.weight
        q, k, v = self.query(self.first(x)).chunk(3, -1)
        scores = (q @ k.mT / WIDTH**0.5).masked_fill(self.future, float("-inf"))
        x = x + self.out(scores.softmax(-1) @ v)
        return self.last(x + self.think(x))

    future = torch.ones(LENGTH, LENGTH).triu(1).bool()


def loss_of(kind):
    """Of the next character, over the windows of one kind, which are half of all."""

    def loss(outputs, batch):
        each = cross_entropy(outputs[:, :-1].mT, batch[0][:, 1:], reduction="none").mean(1)
        return 2 * (each * (batch[1] == kind)).mean()

    return loss


losses = {"code": loss_of(0), "prose": loss_of(1)}


def measured(data):
    with torch.no_grad():
        outputs = model(data.tensors[0])
    return {name: loss(outputs, data.tensors).item() for name, loss in losses.items()}


# %%
# Trained on both kinds mixed, for a fixed number of epochs, as language models are.

torch.manual_seed(0)
model = Transformer()
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for _ in range(8):
    for batch in DataLoader(train, batch_size=32, shuffle=True):
        optimizer.zero_grad()
        outputs = model(batch[0])
        (losses["code"](outputs, batch) + losses["prose"](outputs, batch)).backward()
        optimizer.step()
before = measured(test)
print(before)

# %%
# Windows of one text belong together.

problem = pn.ModelProblem(model, losses, train, validation, test=test, groups={"validation": kin})
nav = pn.Navigator(problem)
nav.start()
view = nav.preview(pn.Improve({"code": 1.0}), amount=0.01)
print(view)

# %%
step = nav.step(view)
print(step.explain())

# %%
# On texts that nobody has seen:

after = measured(test)
for name in before:
    print(f"{name}: {before[name]:.3f} -> {after[name]:.3f} ({after[name] / before[name] - 1:+.1%})")

# %%
# Code got better as promised, on other texts, too, and prose did not pay: a model that was trained for a minute has
# room for both. ``nav.training_gain()`` says how much, and ``nav.start(train_on=True)`` uses it first.

chart = pn.plotting.steps(nav.session)
