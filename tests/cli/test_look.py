"""Looking at a session without the code of its model."""

import io
import json
import subprocess
import sys

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import TensorDataset
from typer.testing import CliRunner

import paretonav as pn
from paretonav.cli import app

THEIRS = """
from torch import nn
class Theirs(nn.Linear):
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A session whose model is of a class that is gone by now."""
    namespace = {"__name__": "gone"}
    exec(THEIRS, namespace)
    torch.manual_seed(0)
    x = torch.randn(96, 3, dtype=torch.float64)
    problem = pn.ModelProblem(
        namespace["Theirs"](3, 2).double(),
        losses={
            "plus": lambda o, batch: (o[:, 0] - batch[0][:, 0]).square().mean() + o[:, 1].square().mean(),
            "minus": lambda o, batch: (o[:, 0] + batch[0][:, 0]).square().mean() + o[:, 1].square().mean(),
        },
        train=TensorDataset(x[:64]),
        validation=TensorDataset(x[64:]),
        weight_decay=1e-2,
        batch_size=8,
    )
    path = tmp_path_factory.mktemp("look") / "session"
    navigator = pn.Navigator(problem, session=path)
    navigator.start()
    navigator.step(pn.Improve({"plus": 1.0}), 0.03)
    navigator.step(pn.Improve({"plus": 1.0}), 0.02)
    navigator.session.note(1, "the one for plus")
    navigator.session.star(1)
    navigator.session.close()
    return path


def run(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def words(text):
    return " ".join(text.split())


def test_show_lists_the_points_and_the_current_one(folder):
    result = run("show", folder)
    assert result.exit_code == 0, result.output
    for shown in (
        "2 <- here",
        "1 ★",
        "the one for plus",
        "improve plus by 3%",
        "Point 2 (from point 1",
        "1% better on",
    ):
        assert shown in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_show_one_point_with_its_step(folder):
    result = run("show", folder, "--point", 1)
    verdict = pn.Session(folder).point(1).conflict["plus"].reason
    for shown in (
        "Step from point 0",
        "achieved",
        "Accepted.",
        "Note: the one for plus",
        f"plus: {verdict}.",
    ):
        assert shown in words(result.stdout)
    assert "The model is held where it is, by a pull of " in words(result.stdout)
    assert "for free" not in result.stdout
    assert "Step from" not in run("show", folder, "--point", 0).stdout


def test_show_for_other_programs(folder):
    session = pn.Session(folder)
    frame = pd.read_csv(io.StringIO(run("show", folder, "--csv").stdout))
    assert frame["train loss: plus"].tolist() == [record.losses["plus"] for record in session]
    document = json.loads(run("show", folder, "--json").stdout)
    assert document == json.loads(session.as_json())
    assert document["current"] == 2
    assert run("show", folder, "--card", "--point", 1).stdout == session.card(1)


def test_compare(folder):
    result = run("compare", folder, 0, 2)
    assert result.exit_code == 0, result.output
    d = next(iter(pn.Session(folder).compare(0, 2)))
    assert f"{d.value:.4f}" in result.stdout
    assert f"±{d.standard_error:.4f}" in result.stdout


def test_export_with_a_card(folder, tmp_path):
    file = tmp_path / "chosen.safetensors"
    result = run("export", folder, file, "--point", 1, "--card")
    assert result.exit_code == 0, result.output
    nn.Linear(3, 2).double().load_state_dict(load_file(file))
    assert (tmp_path / "chosen.md").read_text("utf-8") == pn.Session(folder).card(1)


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--kind", "trajectory", "--split", "train"),
        ("--kind", "parallel", "--point", 0, "--point", 1),
        ("--kind", "bars"),
        ("--kind", "bars", "--point", 0, "--point", 2),
    ],
)
def test_plot(folder, tmp_path, options):
    result = run("plot", folder, tmp_path / "way.png", *options)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "way.png").stat().st_size > 10_000


def test_looking_writes_nothing(folder, tmp_path):
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    run("show", folder)
    run("compare", folder, 0, 1)
    run("plot", folder, tmp_path / "way.png")
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("show", "{}/nothing"), 1, "there is no session in"),
        (("show", "{}", "--point", 9), 1, "no point 9; the points are 0 to 2"),
        (("show", "{}", "--csv", "--json"), 2, "give one of them"),
        (("show", "{}", "--csv", "--point", 1), 2, "leave out --point"),
        (("compare", "{}", 1), 1, "name two or more"),
        (("export", "{}", "model.pt"), 2, "does not end in .safetensors"),
        (("export", "{}", "/no/such/folder/model.safetensors"), 1, "cannot write"),
        (("plot", "{}", "way.gif"), 2, "does not end in .png, .svg, .pdf or .html"),
        (("plot", "{}", "way.html", "--kind", "radar"), 2, "has all charts; leave out --kind"),
        (
            ("plot", "{}", "way.png", "--kind", "pie"),
            2,
            "choose one of front, trajectory, steps, parallel, radar, bars",
        ),
        (("plot", "{}", "way.png", "--kind", "radar"), 1, "a radar needs three axes"),
        (
            ("plot", "{}", "way.png", "--kind", "parallel", "--split", "test"),
            1,
            "choose 'train' or 'validation'",
        ),
    ],
)
def test_what_cannot_be_shown(folder, arguments, status, says):
    result = run(*(str(argument).format(folder) for argument in arguments))
    assert result.exit_code == status, result.output
    assert says.lower() in words(result.stderr).lower()


@pytest.mark.slow
def test_the_model_s_code_is_not_there(folder, tmp_path):
    """In a fresh process, where its class cannot be imported."""
    for arguments in (
        ("show", folder),
        ("compare", folder, 0, 1),
        ("export", folder, tmp_path / "model.safetensors", "--card"),
    ):
        command = [sys.executable, "-m", "paretonav", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_page_needs_no_code_either(folder, tmp_path):
    result = run("plot", folder, tmp_path / "way.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "way.html").read_text("utf-8")
    assert "the one for plus" in page
    assert "needs the code of its model" not in page.split('id="saved"')[0]
    assert "steps need the code of its model" in page.split('id="saved"')[1]


def test_a_folder_of_sessions_is_listed(folder, tmp_path):
    with pn.Session(folder) as session:
        session.copy(tmp_path / "runs" / "one")
    with pn.Session(tmp_path / "runs" / "one", write=True) as session:
        session.title = "Two goals"
        session.name(2, "the fair one")
        result = run("show", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    for told in ("one", "Two goals", "2 'the fair one'", "writes to it"):
        assert told in words(result.stdout)
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert run("show", tmp_path / "runs", "--csv").exit_code == 1
