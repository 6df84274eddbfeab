"""List the fonts by name, in the order in which they are tried for a character.

A character is drawn with the first font that has it: the one asked for; those in ``REELPROC_FONT_PATH``; those that the
package ships (sans, one per script, emoji, symbols, Chinese, Japanese and Korean); those in the system's font folders.
If none has it, that is an error before anything is rendered, never an empty box in the picture.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from reelproc.drawing.fonts.coverage import read_coverage
from reelproc.errors import SpecError

FONT_PATH_VARIABLE = "REELPROC_FONT_PATH"
"""The environment variable that lists font files and folders, separated like ``PATH``."""

_FOLDER = Path(__file__).parent
_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")
_REGULAR, _BOLD = 400, 700
_BOLD_WORDS = ("bold", "black", "heavy")

_SCRIPTS = (
    *("Arabic", "Armenian", "Bengali", "Devanagari", "Georgian", "Gujarati", "Gurmukhi", "Hebrew", "Kannada", "Khmer"),
    *("Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thai", "Symbols"),
)

_IGNORABLE = frozenset({0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x2060, 0x2070)})
_TEXT_STYLE, _EMOJI_STYLE = 0xFE0E, 0xFE0F
_KEYCAP = 0x20E3


@dataclass(frozen=True, slots=True)
class Face:
    """A font file, and how heavy it is to be drawn.

    Attributes:
        path: the file.
        weight: of a variable font: 400 is regular, 700 bold; None for a font with one weight.
        embolden: em by which the outlines are thickened, where bold is wanted of a font that has none.
    """

    path: str
    weight: int | None = None
    embolden: float = 0.0

    @property
    def is_shipped(self) -> bool:
        """Whether it comes with the package, the same on every machine."""
        return Path(self.path).parent == _FOLDER

    def has(self, text: str) -> bool:
        """Return whether it has a glyph for every character that is drawn (joiners and the like are not)."""
        codepoints = read_coverage(self.path).codepoints
        return all(ord(c) in codepoints or is_ignorable(c) for c in text)


SHIPPED: dict[str, Face] = {
    "sans": Face(str(_FOLDER / "NotoSans-Variable.ttf"), weight=_REGULAR),
    "sans-bold": Face(str(_FOLDER / "NotoSans-Variable.ttf"), weight=_BOLD),
}
"""The names that work on every machine."""


def is_ignorable(character: str) -> bool:
    """Return whether a character shows nothing by itself: joiners, direction marks, variation selectors, tags."""
    code = ord(character)
    return code in _IGNORABLE or 0xFE00 <= code <= 0xFE0F or 0xE0000 <= code <= 0xE0FFF


def font_chain(font: str) -> FontChain:
    """Return the fonts that are tried for a text.

    Args:
        font: a name in :data:`SHIPPED`, the path of a font file, or the name of a font in ``REELPROC_FONT_PATH`` or the
            system's folders ("DejaVu Sans Bold": its file's name, however spaced and capitalised).

    Raises:
        SpecError: there is no such font, or its file cannot be used.
    """
    return _chain(font, os.environ.get(FONT_PATH_VARIABLE, ""))


@lru_cache(maxsize=64)
def _chain(font: str, extra: str) -> FontChain:
    return FontChain(_find(font, _listed(extra)), _listed(extra))


class FontChain:
    """A font and its fallbacks.

    Args:
        first: the one that is tried first. Bold fallbacks are taken if it is bold.
        extra: files that are tried next.
    """

    def __init__(self, first: Face, extra: Sequence[str] = ()) -> None:
        read_coverage(first.path)
        bold = (first.weight or 0) >= _BOLD or any(word in Path(first.path).stem.lower() for word in _BOLD_WORDS)
        self.first = first
        self._weight = _BOLD if bold else _REGULAR
        self._embolden = 0.025 if bold else 0.0
        self._emoji = Face(str(_FOLDER / "NotoEmoji-Bold.ttf"))
        self._known = [first, *map(Face, extra), *self._shipped()]

    def faces_for(self, cluster: str) -> list[tuple[str, Face]]:
        """Return the faces of a user-perceived character: one for all of it where one can, else one for each part.

        Raises:
            SpecError: nothing can; the message names the characters and how to supply a font.
        """
        if self._wants_emoji(cluster) and self._emoji.has(cluster):
            return [(cluster, self._emoji)]
        for face in self._known:
            if face.has(cluster):
                return [(cluster, face)]
        if len(cluster) > 1:
            return [piece for character in cluster for piece in self.faces_for(character)]
        for path in _system_files():
            face = Face(path, embolden=self._embolden)
            if _usable(path) and face.has(cluster):
                return [(cluster, face)]
        name = unicodedata.name(cluster, "without a name")
        raise SpecError(
            f"no font has the character {cluster} (U+{ord(cluster):04X} {name}); "
            f"name a font file that has it, font='/path/to/font.ttf', or list one in {FONT_PATH_VARIABLE}"
        )

    @staticmethod
    def _wants_emoji(cluster: str) -> bool:
        codes = [ord(c) for c in cluster]
        return _EMOJI_STYLE in codes or _KEYCAP in codes or (codes[0] >= 0x1F000 and _TEXT_STYLE not in codes)

    def _shipped(self) -> Iterator[Face]:
        yield Face(str(_FOLDER / "NotoSans-Variable.ttf"), weight=self._weight)
        for script in _SCRIPTS:
            yield Face(str(_FOLDER / f"NotoSans{script}-Variable.ttf"), weight=self._weight)
        yield self._emoji
        for name in ("DejaVuSans-Symbols.ttf", "DroidSansFallback.ttf"):
            yield Face(str(_FOLDER / name), embolden=self._embolden)


def _find(font: str, extra: Sequence[str]) -> Face:
    if font in SHIPPED:
        return SHIPPED[font]
    if font.lower().endswith(_SUFFIXES):
        if not Path(font).is_file():
            raise SpecError(f"there is no font file {font}; give an existing file or one of {', '.join(SHIPPED)}")
        return Face(font)
    wanted = _simplified(font)
    for path in (*extra, *_system_files()):
        if _simplified(Path(path).stem) in (wanted, wanted + "regular") and _usable(path):
            return Face(path)
    raise SpecError(
        f"there is no font {font!r}; give one of {', '.join(SHIPPED)}, the path of a .ttf or .otf file, "
        f"or list its file or folder in {FONT_PATH_VARIABLE}"
    )


def _simplified(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _usable(path: str) -> bool:
    """Return whether a file that was found, not asked for, is a font that can be drawn."""
    try:
        read_coverage(path)
    except SpecError:
        return False
    return True


@lru_cache(maxsize=8)
def _listed(variable: str) -> tuple[str, ...]:
    files: list[str] = []
    for entry in filter(None, variable.split(os.pathsep)):
        path = Path(entry).expanduser()
        if path.is_dir():
            files += filter(_usable, _in_folder(path))
        elif path.is_file():
            files.append(str(path))
        else:
            raise SpecError(f"{FONT_PATH_VARIABLE} names {entry}, which does not exist; correct or remove it")
    return tuple(files)


@lru_cache(maxsize=1)
def _system_files() -> tuple[str, ...]:
    home = Path.home()
    folders = [home / ".local/share/fonts", home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]
    if sys.platform == "darwin":
        folders = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    return tuple(file for folder in folders for file in _in_folder(folder))


def _in_folder(folder: Path) -> list[str]:
    """Return the font files below a folder, in an order that does not depend on the file system."""
    found = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    return sorted((str(f) for f in found if f.suffix.lower() in _SUFFIXES), key=lambda f: (Path(f).name, f))
