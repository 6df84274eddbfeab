"""Find the fonts that can draw a character, among those that are shipped, named by the caller, or installed.

``README.md`` and the ``LICENSE`` files beside this module tell where each file comes from, and under which licence.
"""

from __future__ import annotations

from reelproc.drawing.fonts.library import SHIPPED, Face, FontChain, font_chain

__all__ = ["SHIPPED", "Face", "FontChain", "font_chain"]
