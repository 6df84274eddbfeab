"""Annotation tables: the tab-separated file that an annotator writes about a game, and the reel that it describes.

One line for each moment, behind a header that names the columns (in any order; ``notes`` may be missing)::

    start_time  rating  tags            clip_name           clip_duration  notes
    0:03        4       Control,Pass    Great Control Pass  6.0

``start_time`` is ``M:SS`` or ``H:MM:SS``, decimals allowed; ``rating`` is 1 to 5; ``tags`` are separated by commas;
``clip_duration`` is in seconds. There is no quoting, so that a cell holds neither tabs nor line breaks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from reelproc.errors import ObjectNotFoundError, SpecError, StorageError
from reelproc.files import whole_file
from reelproc.ratings import clip_name
from reelproc.reel import Clip, Output, Reel
from reelproc.schema import Items, Schema, Seconds, SecondsFromZero
from reelproc.stages.banner import Banner

__all__ = ["COLUMNS", "Annotation", "annotated_reel", "parse_annotations", "read_annotations", "write_annotations"]

COLUMNS = ("start_time", "rating", "tags", "clip_name", "clip_duration", "notes")
"""The header, in the order in which it is written. All but the last must be there."""

_TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:\.\d+)?)")


class Annotation(Schema):
    """One moment of a game.

    Attributes:
        start_time: seconds of the game.
        rating: 1 to 5; see :mod:`reelproc.ratings`.
        tags: what it shows.
        clip_name: may be empty; :attr:`name` is not.
        clip_duration: seconds.
        notes: for people.
    """

    start_time: SecondsFromZero
    rating: Annotated[int, Field(ge=1, le=5)]
    tags: Items[str] = ()
    clip_name: str = ""
    clip_duration: Annotated[Seconds, Field(gt=0)]
    notes: str = ""

    @property
    def end_time(self) -> float:
        """Seconds of the game, exact to a microsecond."""
        return round(self.start_time + self.clip_duration, 6)

    @property
    def name(self) -> str:
        """The clip's name, or one made of its rating and tags."""
        return clip_name(self.rating, self.clip_name, self.tags)


def read_annotations(path: str | os.PathLike[str]) -> tuple[Annotation, ...]:
    """Return the annotations in a file, in its order.

    Raises:
        ObjectNotFoundError: there is no such file.
        StorageError: it cannot be read.
        SpecError: it is no annotation table; the message names line and column.
    """
    name = os.fspath(path)
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"there is no file {name!r}") from error
    except OSError as error:
        raise StorageError(f"{name!r} cannot be read: {error}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{name}: an annotation table is UTF-8 text: {error}") from error
    return parse_annotations(text, name=name)


def parse_annotations(text: str, *, name: str = "annotations") -> tuple[Annotation, ...]:
    r"""Return the annotations in the text of a table. Blank lines are skipped.

    Args:
        text: the table.
        name: of the file, for messages.

    Raises:
        SpecError: it is no annotation table; the message names line and column, ``error.path`` too.

    >>> table = "start_time\trating\ttags\tclip_name\tclip_duration\n1:05\t4\tPass\t\t4.5"
    >>> parse_annotations(table)[0].start_time, parse_annotations(table)[0].name
    (65.0, 'Good Pass')
    """
    lines = [(n, line) for n, line in enumerate(re.split(r"\r\n|\n|\r", text), 1) if line.strip()]
    if not lines:
        raise SpecError(f"{name} is empty; an annotation table begins with the header {', '.join(COLUMNS)}")
    header = _header(name, *lines[0])
    return tuple(_row(name, number, line, header) for number, line in lines[1:])


def _header(name: str, number: int, line: str) -> list[str]:
    header = [cell.strip() for cell in line.split("\t")]
    unknown = [cell for cell in header if cell not in COLUMNS]
    missing = [column for column in COLUMNS[:-1] if column not in header]
    twice = sorted({cell for cell in header if header.count(cell) > 1})
    for what, cells in (("has the unknown", unknown), ("lacks the", missing), ("has twice the", twice)):
        if cells:
            listed = ", ".join(map(repr, cells))
            raise SpecError(
                f"{name}, line {number}: the header {what} column {listed}; expected, separated by tabs: "
                f"{', '.join(COLUMNS)} (notes may be missing)",
                path=(number, cells[0]),
            )
    return header


def _row(name: str, number: int, line: str, header: list[str]) -> Annotation:
    cells = line.split("\t")
    if len(cells) > len(header):
        raise SpecError(
            f"{name}, line {number}: {len(cells)} columns, expected {len(header)} at most; "
            "remove the surplus tabs, or name the column in the header",
            path=(number,),
        )
    row = dict(zip(header, cells, strict=False))
    values: dict[str, Any] = {}
    for column in COLUMNS:
        if column not in row:
            if column != "notes":
                raise SpecError(
                    f"{name}, line {number}: the column {column} is missing: the line has {len(cells)} of "
                    f"{len(header)} columns",
                    path=(number, column),
                )
            continue
        try:
            values[column] = _READERS[column](row[column].strip())
        except ValueError as error:
            raise SpecError(
                f"{name}, line {number}, column {column}: {error}, got {row[column]!r}", path=(number, column)
            ) from None
    return Annotation(**values)


def _time(cell: str) -> float:
    found = _TIME.fullmatch(cell)
    if not found or float(found[3]) >= 60 or (found[1] and int(found[2]) >= 60):
        raise ValueError("a time is M:SS or H:MM:SS with seconds below 60, e.g. 1:05")
    return round(int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3]), 6)


def _rating(cell: str) -> int:
    if cell not in {"1", "2", "3", "4", "5"}:
        raise ValueError("a rating is a whole number from 1 to 5")
    return int(cell)


def _duration(cell: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", cell) or float(cell) <= 0:
        raise ValueError("a duration is a number of seconds above 0, e.g. 4.5")
    return float(cell)


def _tags(cell: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in cell.split(",") if tag.strip())


_READERS: Mapping[str, Callable[[str], Any]] = {
    "start_time": _time,
    "rating": _rating,
    "tags": _tags,
    "clip_name": str,
    "clip_duration": _duration,
    "notes": str,
}


def write_annotations(annotations: Iterable[Annotation], path: str | os.PathLike[str]) -> None:
    """Write a table that :func:`read_annotations` reads as the same annotations; it appears when it is whole.

    Raises:
        SpecError: a text cannot stand in such a table: it holds a tab or a line break, begins or ends with a space, or
            is a tag with a comma.
        StorageError: it cannot be written.
    """
    rows = ["\t".join(COLUMNS)]
    rows += ["\t".join(_cells(number, each)) for number, each in enumerate(annotations, 2)]
    try:
        with whole_file(Path(path)) as partial:
            partial.write_text("\n".join(rows) + "\n", encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:  # ValueError: no name that a file could have
        raise StorageError(f"{os.fspath(path)!r} cannot be written: {error}") from error


def _cells(number: int, annotation: Annotation) -> list[str]:
    for column, texts in (
        ("tags", annotation.tags),
        ("clip_name", (annotation.clip_name,)),
        ("notes", (annotation.notes,)),
    ):
        for text in texts:
            bad = (
                re.search(r"[\t\r\n]", text) or text != text.strip() or (column == "tags" and (not text or "," in text))
            )
            if bad:
                raise SpecError(
                    f"line {number}, column {column}: {text!r} cannot stand in a tab-separated table; remove tabs, "
                    "line breaks, spaces at its ends, and commas in tags",
                    path=(number, column),
                )
    minutes, seconds = divmod(round(annotation.start_time * 1_000_000), 60_000_000)
    whole, micro = divmod(seconds, 1_000_000)
    decimals = f".{micro:06d}".rstrip("0") if micro else ""
    return [
        f"{minutes}:{whole:02d}{decimals}",
        str(annotation.rating),
        ",".join(annotation.tags),
        annotation.clip_name,
        _decimal(annotation.clip_duration),
        annotation.notes,
    ]


def _decimal(seconds: float) -> str:
    """Return one decimal where that is all there is, else as many as are needed."""
    return f"{seconds:.1f}" if round(seconds, 1) == seconds else format(Decimal(repr(seconds)), "f")


def annotated_reel(
    source: str | os.PathLike[str],
    annotations: Iterable[Annotation],
    *,
    banners: bool = True,
    output: Output | None = None,
) -> Reel:
    """Return the reel of a game's annotated moments, in the table's order, each under its banner.

    Args:
        source: the game.
        annotations: at least one.
        banners: whether each clip carries its rating, name and notes.
        output: None: the game's own size at 30 frames per second, with sound.

    Raises:
        SpecError: there is nothing to show.
    """
    clips = [
        Clip(
            source=source,
            start=each.start_time,
            end=each.end_time,
            stages=[Banner(rating=each.rating, name=each.clip_name or None, tags=each.tags, notes=each.notes or None)]
            if banners
            else [],
        )
        for each in annotations
    ]
    if not clips:
        raise SpecError("the annotation table has no clips: a reel needs at least one")
    return Reel(clips=clips, output=output or Output(width=None, height=None))
