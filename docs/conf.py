"""How the documentation is built: ``sphinx-build -W --keep-going -b html docs docs/_build/html``."""

from __future__ import annotations

import sys
from pathlib import Path

import reelproc

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "reelproc"
author = "The reelproc developers"
project_copyright = "The reelproc developers"
version = release = reelproc.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "data_models",
    "command_help",
    "drawn_pictures",
]
exclude_patterns = ["_build", "_ext"]
source_suffix = {".md": "markdown"}
highlight_language = "text"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

napoleon_numpy_docstring = False
napoleon_use_ivar = True  # attributes as a list in the entry of their class: data models document their fields there
napoleon_attr_annotations = False  # the types stand in the signature
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["wide.css"]
html_title = f"reelproc {release}"
html_show_sourcelink = False
