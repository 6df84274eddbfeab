"""Break text into lines of a width, cut it to a height, and place it around an anchor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from PIL import ImageFont, features

from reelproc.drawing.fonts.library import Face, FontChain, font_chain, is_ignorable
from reelproc.drawing.options import Align
from reelproc.drawing.typeset.clusters import clean, clusters
from reelproc.drawing.typeset.paragraph import FontRun, Paragraph, check_shaping
from reelproc.errors import SpecError

LINE_SPACING = 1.25
"""Em from baseline to baseline; more where tall glyphs would touch."""

CAP_HEIGHT = 0.714
"""Em; of Noto Sans. A block is centred on its capitals, as a reader sees it, not on its line boxes."""

_GAP = 0.05
_DENSEST = 40  # characters per em, marks included, that any writing gets to
_ELLIPSIS = "…"


class TextBox(NamedTuple):
    """A rectangle: pixels, edges."""

    left: float
    top: float
    right: float
    bottom: float

    def joined(self, other: TextBox) -> TextBox:
        """Return the smallest box around both."""
        return TextBox(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def within(self, other: TextBox) -> TextBox:
        """Return the part of the box that lies in the other; where none does, one without area at its edge."""
        left, top = min(max(self.left, other.left), other.right), min(max(self.top, other.top), other.bottom)
        return TextBox(left, top, max(min(self.right, other.right), left), max(min(self.bottom, other.bottom), top))

    def moved(self, dx: float, dy: float) -> TextBox:
        """Return the box moved by so many pixels."""
        return TextBox(self.left + dx, self.top + dy, self.right + dx, self.bottom + dy)

    def grown(self, by: float) -> TextBox:
        """Return the box with a margin around it."""
        return TextBox(self.left - by, self.top - by, self.right + by, self.bottom + by)


class PlacedRun(NamedTuple):
    """A run and where its baseline begins, on the left, in pixels from the block's anchor."""

    run: FontRun
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Block:
    """Text with every run in its place.

    Attributes:
        runs: to be drawn.
        ink: what they cover, without stroke and shadow, relative to the anchor.
        lines: how many.
        complete: whether all of the text is there; else it ends in an ellipsis.
    """

    runs: tuple[PlacedRun, ...]
    ink: TextBox
    lines: int
    complete: bool


def shaping_available() -> bool:
    """Return whether Pillow has Raqm and FriBiDi, so that joined and right-to-left scripts come out right."""
    return bool(features.check("raqm"))


class Fonts:
    """The faces of a chain, loaded at one size. Not for several threads at once.

    Args:
        font: see :func:`~reelproc.drawing.fonts.library.font_chain`.
        size: of one em, pixels.

    Raises:
        SpecError: there is no such font.
    """

    def __init__(self, font: str, size: float) -> None:
        self.chain: FontChain = font_chain(font)
        self.size = max(size, 1.0)
        self.shaping = shaping_available()
        self._loaded: dict[Face, ImageFont.FreeTypeFont] = {}
        self._lengths: dict[FontRun, float] = {}

    def load(self, face: Face) -> ImageFont.FreeTypeFont:
        """Return the face at this size and its weight.

        Raises:
            SpecError: its file is damaged.
        """
        if face not in self._loaded:
            engine = ImageFont.Layout.RAQM if self.shaping else ImageFont.Layout.BASIC
            with font_errors(face):
                font = ImageFont.truetype(face.path, self.size, layout_engine=engine)
                if face.weight is not None:
                    font.set_variation_by_axes([face.weight])
            self._loaded[face] = font
        return self._loaded[face]

    def direction(self, run: FontRun) -> str | None:
        """Return what Pillow is told of a run's direction; None without Raqm, which alone could follow it."""
        return ("rtl" if run.level % 2 else "ltr") if self.shaping else None

    def length(self, run: FontRun) -> float:
        """Return the advance of a run, pixels."""
        if run not in self._lengths:
            font = self.load(run.face)
            with font_errors(run.face):
                self._lengths[run] = font.getlength(run.text, direction=self.direction(run))
        return self._lengths[run]

    def ink(self, run: FontRun) -> TextBox:
        """Return what a run covers, relative to the start of its baseline."""
        font = self.load(run.face)
        with font_errors(run.face):
            box = font.getbbox(run.text, anchor="ls", direction=self.direction(run))
        return TextBox(*box).grown(run.face.embolden * self.size)


@contextmanager
def font_errors(face: Face) -> Iterator[None]:
    """Turn what FreeType says of a file into a :class:`~reelproc.SpecError` that names it."""
    try:
        yield
    except OSError as error:
        raise SpecError(f"the font {face.path} is damaged ({error}); give another") from error


class _Line(NamedTuple):
    runs: list[FontRun]
    width: float


def set_text(
    text: str,
    fonts: Fonts,
    *,
    max_width: float,
    max_height: float,
    align: Align = "center",
    max_lines: int | None = None,
) -> Block:
    """Break, cut and place a text.

    Args:
        text: any Unicode; every newline starts a paragraph.
        fonts: what to draw it with.
        max_width: pixels; a word that is wider is broken between characters.
        max_height: pixels; lines that do not fit are left out, and the last that does ends in an ellipsis.
        align: of the lines; the anchor is their left end, centre or right end, and half way between the top of the
            first line's capitals and the last line's baseline.
        max_lines: at most so many.

    Raises:
        SpecError: no font has one of the characters, or a font's file is damaged.
        MissingDependencyError: the text needs complex layout, which this machine's Pillow cannot do.
    """
    text = clean(text)
    check_shaping(text, available=fonts.shaping)
    if not fonts.shaping:
        text = _visible(text)
    # So many lines can be seen at most; a whole book in a caption costs no more than they do.
    limit = max_lines or int(max_height / (fonts.size * LINE_SPACING)) + 2
    spans: list[tuple[Paragraph, int, int]] = []
    for source in text.split("\n"):
        paragraph = Paragraph(source, fonts.chain)
        spans += ((paragraph, *span) for span in _wrapped(paragraph, fonts, max_width, limit + 1 - len(spans)))
        if len(spans) > limit:
            break
    complete = len(spans) <= limit
    lines = [_line(paragraph, fonts, start, end) for paragraph, start, end in spans[:limit]]
    while True:
        if not complete:
            lines[-1] = _shortened(*spans[len(lines) - 1], fonts, max_width)
        block = _placed(lines, fonts, align, complete=complete)
        if len(lines) == 1 or block.ink.bottom - block.ink.top <= max_height:
            return block
        del lines[-1]
        complete = False


def _visible(text: str) -> str:
    return "".join(c for c in text if not is_ignorable(c))


def _line(paragraph: Paragraph, fonts: Fonts, start: int, end: int) -> _Line:
    runs = paragraph.runs(start, end)
    return _Line(runs, sum(map(fonts.length, runs)))


def _wrapped(paragraph: Paragraph, fonts: Fonts, max_width: float, limit: int) -> Iterator[tuple[int, int]]:
    """Return the spans of the first ``limit`` lines."""

    def fits(start: int, end: int) -> bool:
        if end - start > _DENSEST * (max_width / fonts.size + 1):
            return False  # without measuring a megabyte
        return _line(paragraph, fonts, start, end).width <= max_width

    start = end = count = 0
    for stop in paragraph.breaks():
        if fits(start, stop):
            end = stop
            continue
        if end > start:
            yield start, end
            count += 1
            start = end
        if not fits(start, stop):
            for inner in paragraph.stops(start, stop):
                is_space = paragraph.text[end:inner].isspace()  # it has room at the end of any line
                if end > start and not is_space and not fits(start, inner):
                    yield start, end
                    count += 1
                    start = end
                    if count >= limit:
                        return
                end = inner
        end = stop
        if count >= limit:
            return
    yield start, len(paragraph.text)


def _shortened(paragraph: Paragraph, start: int, end: int, fonts: Fonts, max_width: float) -> _Line:
    """Return the line with an ellipsis at its end, and as much of its text as leaves room for that.

    Where the next word is so long that the line ends in its first half, a part of that word is shown, too.
    """
    if _line(paragraph, fonts, start, end).width < max_width / 2:
        end = min(len(paragraph.text), end + int(_DENSEST * (max_width / fonts.size + 1)))
    kept = clusters(paragraph.text[start:end].rstrip())

    def cut(count: int) -> _Line:
        text = "".join(kept[:count]).rstrip() + _ELLIPSIS
        return _line(Paragraph(text, paragraph.chain, paragraph.base), fonts, 0, len(text))

    low, high = 0, len(kept)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if cut(middle).width <= max_width else (low, middle - 1)
    return cut(low)


def _placed(lines: list[_Line], fonts: Fonts, align: Align, *, complete: bool) -> Block:
    shift = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    placed: list[PlacedRun] = []
    ink: TextBox | None = None
    baseline = lowest = 0.0
    for number, line in enumerate(lines):
        boxes = []
        x = -line.width * shift
        for run in line.runs:
            boxes.append(fonts.ink(run).moved(x, 0))
            placed.append(PlacedRun(run, x, 0))
            x += fonts.length(run)
        if number:
            highest = min((box.top for box in boxes), default=0.0)
            baseline += max(LINE_SPACING * fonts.size, lowest - highest + _GAP * fonts.size)
        placed[len(placed) - len(boxes) :] = [p._replace(y=baseline) for p in placed[len(placed) - len(boxes) :]]
        lowest = max((box.bottom for box in boxes), default=0.0)
        for box in boxes:
            ink = box.moved(0, baseline).joined(ink or box.moved(0, baseline))
    down = (CAP_HEIGHT * fonts.size - baseline) / 2
    return Block(
        tuple(p._replace(y=p.y + down) for p in placed),
        (ink or TextBox(0, 0, 0, 0)).moved(0, down),
        len(lines),
        complete,
    )
