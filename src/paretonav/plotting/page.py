"""A chart as an interactive page."""

from __future__ import annotations

from html import escape

from paretonav.plotting.chart import Chart
from paretonav.plotting.style import FAMILY, INK, dress

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html, body {{ height: 100%; margin: 0; }}
body {{ display: flex; flex-direction: column; color: {ink}; background: #fff;
  font-family: {family}; }}
header {{ padding: 1.1rem 1.6rem 0; }}
h1 {{ font-size: 1.25rem; font-weight: 600; margin: 0 0 .3rem; }}
p {{ margin: 0; font-size: .9rem; color: #666; }}
main {{ flex: 1; min-height: 24rem; position: relative; }}
main > div {{ position: absolute; inset: 0; }}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{subtitle}</p>
</header>
<main>
{figure}
</main>
</body>
</html>
"""


def page(chart: Chart) -> bytes:
    """A self-contained page that works offline."""
    figure = chart.plotly()
    dress(figure)
    div = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        default_height="100%",
        config={"displaylogo": False, "responsive": True},
    )
    text = _PAGE.format(
        title=escape(chart.title), subtitle=escape(chart.subtitle), ink=INK, family=FAMILY, figure=div
    )
    return text.encode("utf-8", errors="replace")
