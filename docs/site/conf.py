"""The documentation site: the pages as they lie in the repository, by Sphinx, MyST and Furo (``make docs``).

The whole repository is the source, so that links between its pages are the same here and on the pages of a repository.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(ROOT / "bench")]

about = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
project = about["name"]
author = "the paretonav contributors"
copyright = author
version = release = about["version"]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
    "contents",
    "links",
    "reference",
]
root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "docs/gallery/*.rst", "bench/results/**.md"]
exclude_patterns = ["bench/results/quick", "docs/gallery/sg_execution_times.rst"]
nitpicky = True
nitpick_ignore_regex = [("py:(?!obj).*", ".*")]  # types of signatures; of links that somebody wrote none
suppress_warnings = ["toc.not_included"]  # tables that other pages lead to

myst_heading_anchors = 5  # of every heading, by the names that the pages of repositories give them
myst_links_external_new_tab = True

napoleon_use_ivar = True  # an attribute that has a docstring of its own is described there
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 88
add_module_names = False

sphinx_gallery_conf = {  # runs the examples: those that have changed, or all after "make clean"
    "examples_dirs": str(ROOT / "gallery"),
    "gallery_dirs": str(ROOT / "docs" / "gallery"),
    "filename_pattern": r"\.py$",
    "image_scrapers": ["matplotlib", "pictures.scrape"],
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "remove_config_comments": True,
    "min_reported_time": 1e9,
}

html_theme = "furo"
html_title = f"{project} {version}"
html_theme_options = {"top_of_page_buttons": []}
html_static_path = [str(HERE / "static")]
html_css_files = ["plain.css"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
