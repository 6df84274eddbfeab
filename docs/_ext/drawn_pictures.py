"""The directive ``drawn-picture``: a picture made by the code in it when the documentation is built (drawing.py)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from drawing import drawn
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import reelproc


class DrawnPicture(SphinxDirective):
    """``{drawn-picture} NAME`` with ``:alt:``, and Python that leaves a Pillow image called ``picture``."""

    has_content = True
    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"alt": directives.unchanged_required, "width": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Draw it, where this code has not been drawn before, and show it."""
        folder = Path(self.env.srcdir) / "_build" / "drawn"
        code = "\n".join(self.content)
        digest = hashlib.sha256(f"{reelproc.__version__}\n{code}".encode()).hexdigest()[:12]
        path = folder / f"{self.arguments[0]}-{digest}.jpg"
        if not path.exists():
            drawn(code, folder).save(path, quality=88)
        node = nodes.image(uri=f"/_build/drawn/{path.name}", alt=self.options["alt"])
        if "width" in self.options:
            node["width"] = self.options["width"]
        return [node]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("drawn-picture", DrawnPicture)
    return {"parallel_read_safe": False}
