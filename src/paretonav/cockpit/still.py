"""The points as a plain table, for where the cockpit cannot run: in exported and printed notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from paretonav.display import html_row

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
"""What a notebook shows a widget by, where it can."""
_MOST = 100  # points, the latest


def table(values: Mapping[str, Any]) -> str:
    """HTML of what a controller publishes: every point with what is shown of it. No script, and names are text.

    Args:
        values: ``Controller.values()``.
    """
    state, points = values.get("state"), values.get("points")
    if not isinstance(state, dict) or not isinstance(points, dict) or state.get("current") is None:
        return "<p>The navigation has not started yet.</p>"
    m, validated = state["objectives"], points["validation"] is not None
    losses = points["validation"] if validated else points["train"]
    names = [quantity["name"] for quantity in state["quantities"]]
    data = " on validation data" if validated else ""
    of_losses = [f"{name}{data}" for name in names[:m]]
    head = html_row("th", ["Point", "Reached by", *of_losses, *names[m:], "Note"], ' scope="col"')
    count = len(points["parent"])
    body = [
        html_row(
            "td",
            [
                _called(i, points["name"][i], now=i == state["current"]),
                points["asked"][i],
                *(_number(column[i]) for column in (*losses, *points["metrics"])),
                points["note"][i],
            ],
        )
        for i in range(max(0, count - _MOST), count)
    ]
    title = escape(str(state.get("title") or "Visited points"))
    return f"<table><caption>{title}</caption><thead>{head}</thead><tbody>{''.join(body)}</tbody></table>"


def _called(point: int, name: str, *, now: bool) -> str:
    return " ".join([str(point), *([name] if name else []), *(["(now)"] if now else [])])


def _number(value: float | None) -> str:
    return "\N{EN DASH}" if value is None else f"{value:.4g}"
