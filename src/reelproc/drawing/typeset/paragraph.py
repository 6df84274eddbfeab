"""Cut a paragraph into runs: stretches of text in one font and one direction."""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import NamedTuple

from reelproc.drawing.fonts.library import Face, FontChain, is_ignorable
from reelproc.drawing.typeset.bidi import Level, levels, visual_order
from reelproc.drawing.typeset.clusters import clusters, words
from reelproc.errors import MissingDependencyError


class FontRun(NamedTuple):
    """Text in one font and one direction.

    Attributes:
        text: in the order in which it is read.
        face: its font.
        level: odd where it runs from right to left.
    """

    text: str
    face: Face
    level: Level


class Paragraph:
    """One paragraph.

    Args:
        text: cleaned, without newlines.
        chain: the fonts to draw it with.
        base: its direction as a level; None: as its first strong character says.

    Raises:
        SpecError: no font has one of its characters.
    """

    def __init__(self, text: str, chain: FontChain, base: Level | None = None) -> None:
        self.text = text
        self.chain = chain
        self.base, self._levels = levels(text, base)
        self._faces = [
            face
            for cluster in clusters(text)
            for piece, face in ([(cluster, chain.first)] if cluster.isspace() else chain.faces_for(cluster))
            for _ in piece
        ]

    def breaks(self) -> list[int]:
        """Return the indices at which a line may end, the paragraph's end included."""
        ends, here = [], 0
        for word in words(self.text):
            here += len(word)
            ends.append(here)
        return ends

    def stops(self, start: int, end: int) -> list[int]:
        """Return the index after each user-perceived character of ``text[start:end]``: where a long word may break."""
        ends, here = [], start
        for cluster in clusters(self.text[start:end]):
            here += len(cluster)
            ends.append(here)
        return ends

    def runs(self, start: int, end: int) -> list[FontRun]:
        """Return the runs of the line ``text[start:end]`` from left to right, without the spaces at its end."""
        end = start + len(self.text[start:end].rstrip())
        found = [
            FontRun("".join(self.text[i] for i in same), face, level)
            for (face, level), same in groupby(range(start, end), key=lambda i: (self._faces[i], self._levels[i]))
        ]
        return [found[i] for i in visual_order([run.level for run in found])]


def check_shaping(text: str, *, available: bool) -> None:
    """Refuse what basic layout, which puts glyph beside glyph from left to right, would draw wrong.

    Args:
        text: cleaned.
        available: whether Pillow has found Raqm and FriBiDi.

    Raises:
        MissingDependencyError: ``text`` needs shaping or runs from right to left, and they are not there.
    """
    if available:
        return
    for character in text:
        marked = unicodedata.category(character) in ("Mn", "Mc", "Me") and not is_ignorable(character)
        if marked or unicodedata.bidirectional(character) in ("R", "AL", "AN"):
            raise MissingDependencyError(
                f"the text {text[:40]!r} needs complex layout (first for U+{ord(character):04X} "
                f"{unicodedata.name(character, 'without a name')}), and Pillow finds no FriBiDi library; "
                "install it: apt-get install libfribidi0, or brew install fribidi"
            )
