"""Charts of examples that pyplot knows nothing of: the figures that ``paretonav.plotting`` returns."""

from typing import Any

from sphinx_gallery.scrapers import figure_rst


def scrape(_: Any, variables: dict[str, Any], settings: dict[str, Any]) -> str:
    """Save what a block of an example calls ``chart`` where the gallery looks for it."""
    chart = variables["example_globals"].pop("chart", None)
    if chart is None:
        return ""
    path = next(variables["image_path_iterator"])
    chart.savefig(path, dpi=100, bbox_inches="tight")
    return str(figure_rst([path], settings["src_dir"]))
