"""Fonts: those that the package ships, those that the caller names, and which of them can draw a character.

``README.md`` and the ``LICENSE`` files beside this module tell where each file comes from, and under which licence.
"""

from __future__ import annotations

from reelproc.drawing.fonts.library import SHIPPED, Face, FontChain, font_chain

__all__ = ["SHIPPED", "Face", "FontChain", "font_chain"]
