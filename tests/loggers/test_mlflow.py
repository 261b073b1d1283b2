"""What is logged to MLflow is found by its own client, in its own store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.loggers.walks import ODD, walk

import paretonav as pn

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.slow,
]
mlflow = pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")  # of its store


@pytest.fixture
def client(tmp_path: Path) -> Any:
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'mlflow.db'}")
    mlflow.create_experiment("steering", artifact_location=(tmp_path / "artifacts").as_uri())
    mlflow.set_experiment("steering")
    yield mlflow.MlflowClient()
    mlflow.set_tracking_uri(before)


def names(client: Any, run: str, folder: str) -> set[str]:
    return {Path(file.path).name for file in client.list_artifacts(run, folder)}


def test_every_point_is_in_the_active_run(client: Any, tmp_path: Path) -> None:
    with mlflow.start_run() as active:
        nav, told = walk(pn.loggers.MLflow(pictures=("front", "steps")))
    run = active.info.run_id
    found = client.get_metric_history(run, "validation loss/first")
    assert [(metric.step, metric.value) for metric in found] == [
        (news.point.id, pytest.approx(news.point.validation["first"])) for news in told[:3]
    ]
    data = client.get_run(run).data
    assert data.metrics["metric/a_b _ _für__"] == pytest.approx(nav.here.metrics[ODD])
    assert data.tags["paretonav.status"] == "rejected"
    assert names(client, run, "steps") == {"point 0.md", "point 1.md", "point 2.md", "rejected 1.md"}
    assert names(client, run, "cards") == {"point 0.md", "point 1.md", "point 2.md"}
    assert names(client, run, "charts/steps") == {"point 1.png", "point 2.png"}
    card = client.download_artifacts(run, "cards/point 2.md", str(tmp_path))
    assert Path(card).read_text("utf-8") == nav.session.card(2)


def test_a_run_that_is_named_needs_not_be_active(client: Any) -> None:
    run = client.create_run("1").info.run_id
    nav = pn.Navigator(
        pn.problems.quadratic(n=6, m=2), callbacks=[pn.loggers.MLflow(run, client=client, pictures=())]
    )
    nav.start()
    assert client.get_run(run).data.metrics["train loss/f1"] == pytest.approx(nav.here.losses["f1"])
    assert mlflow.active_run() is None


@pytest.mark.usefixtures("client")
def test_without_a_run_it_says_what_to_do() -> None:
    with pytest.raises(pn.NavigationError, match=r"call mlflow\.start_run\(\) before, or give run_id="):
        pn.loggers.MLflow()
