"""What MP4 and MOV say of their tracks in boxes that libavformat reads past: speeds in edit lists, and encryption.

libavformat shows an edit at half speed at full speed, the file's beginning for a gap between two edits, and in
fragments what the list hides; encrypted pictures it decodes as they are. All of that would be wrong pictures without a
word, so it is found here and refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import dropwhile
from typing import BinaryIO, NamedTuple

from reelproc.errors import ProbeError
from reelproc.storage.source import Source

_MAX_BOXES = 100_000
_MAX_BOX_BYTES = 1 << 20
"""Of an edit list or a fragment's head that are read."""
_MAX_DEPTH = 10
"""Boxes inside each other that are read, as many as libavformat reads."""

_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"sidx", b"pnot")
_PARENTS = (b"trak", b"mdia", b"minf", b"stbl", b"edts", b"traf")
_PROTECTED = (b"encv", b"enca", b"drmi", b"drms")
"""Sample entries whose samples are encrypted (ISO/IEC 14496-12, 8.12; the last two are Apple's)."""
_PIFF_SENC = bytes.fromhex("a2394f525a9b4f14a2446c427c648df4")
"""The ``uuid`` of the box that became ``senc``."""


class Edit(NamedTuple):
    """An entry of an edit list (ISO/IEC 14496-12, 8.6.6).

    Attributes:
        seconds: how long it is shown; 0 in fragmented files: to the end.
        media_time: where it begins, on the track's own clock; -1: nothing is shown.
        rate: speed; 0: the picture at ``media_time`` is held.
    """

    seconds: Fraction
    media_time: int
    rate: Fraction


@dataclass(slots=True)
class Mp4Track:
    """A track.

    Attributes:
        edits: its edit list; empty without one.
        scheme: how it is encrypted, e.g. ``"cenc"``; None: it is not.
        in_fragments: whether its samples are: libavformat follows one edit there, and hides nothing.
    """

    edits: tuple[Edit, ...] = ()
    scheme: str | None = None
    in_fragments: bool = False

    @property
    def unfollowed(self) -> str | None:
        """Name the first edit that libavformat does not follow; None: it follows all."""
        at = Fraction(0)
        for edit in dropwhile(lambda each: each.media_time < 0, self.edits):  # it waits for as long as these say
            place = f"at {float(at):.3f} s"
            if edit.media_time < 0 and edit.seconds:
                return f"shows nothing for {float(edit.seconds):.3f} s {place}"
            if edit.media_time >= 0 and not edit.rate:
                return f"holds one picture for {float(edit.seconds):.3f} s {place}"
            if edit.media_time >= 0 and edit.rate != 1:
                return f"plays {float(edit.seconds):.3f} s at {float(edit.rate):g} times the speed {place}"
            at += edit.seconds
        return f"joins {self.parts} parts of a film in fragments" if self.in_fragments and self.parts > 1 else None

    @property
    def parts(self) -> int:
        """How many parts of the film its edits show."""
        return sum(edit.media_time >= 0 for edit in self.edits)


def check_tracks(source: Source, hidden: Mapping[int, Fraction]) -> None:
    """Refuse an MP4 or MOV file whose tracks cannot be shown as they are meant; other files pass.

    Args:
        source: the file.
        hidden: for each track that is used, by its id, the seconds of whole pictures before time zero.

    Raises:
        ProbeError: one is encrypted, or its edit list cannot be followed.
    """
    for number, track in read_tracks(source).items():
        if number not in hidden:
            continue
        if track.scheme is not None:
            raise encrypted(source, track.scheme)
        unfollowed = track.unfollowed
        if unfollowed is None and track.in_fragments and track.edits and hidden[number] > 0:
            unfollowed = f"hides the first {float(hidden[number]):.3f} s of a film in fragments"
        if unfollowed is not None:
            raise ProbeError(
                f"{source.name!r}: the edit list of track {number} {unfollowed}, which is not followed; export it "
                "flat from the program that made it, or take all that is stored: "
                "ffmpeg -ignore_editlist 1 -i IN -c copy OUT.mp4"
            )


def encrypted(source: Source, scheme: str) -> ProbeError:
    """Return the error for a file that is encrypted."""
    return ProbeError(f"{source.name!r} is encrypted ({scheme}); decrypt it first: no keys are taken here")


def encryption_scheme(source: Source) -> str | None:
    """Return how the first encrypted track of an MP4 or MOV file is encrypted; None: there is no such track."""
    return next((track.scheme for track in read_tracks(source).values() if track.scheme is not None), None)


def joins_parts(source: Source, number: int) -> bool:
    """Tell whether an MP4 or MOV track shows several parts of its film, one after another.

    libavformat then lists packets once for each part, and its search among their times, which go back, ends anywhere.
    """
    with source.open() as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(8)[4:] not in _FIRST_BOXES:
            return False
        moov = next((box for box in _boxes(file, 0, end) if box.name == b"moov"), None)
        track = None if moov is None else _described(file, moov).get(number)
    return track is not None and track.parts > 1


def read_tracks(source: Source) -> dict[int, Mp4Track]:
    """Return the tracks of an MP4 or MOV file by their ids, as far as they can be read; none of other files."""
    tracks: dict[int, Mp4Track] = {}
    with source.open() as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(0)
        if file.read(8)[4:] not in _FIRST_BOXES:
            return {}
        for box in _boxes(file, 0, end):
            if box.name == b"moov":
                tracks |= _described(file, box)
            elif box.name == b"moof":
                for number in _encrypted_fragments(file, box):
                    track = tracks.setdefault(number, Mp4Track())
                    track.scheme = track.scheme or "fragments"
    return tracks


class Mp4Box(NamedTuple):
    """A box of an ISO file, by its name and where its content lies."""

    name: bytes
    begin: int
    end: int


def boxes_inside(file: BinaryIO, end: int) -> Iterator[Mp4Box]:
    """Yield all boxes of a file's ``moov``, those inside others after these."""
    for box in _boxes(file, 0, end):
        if box.name == b"moov":
            yield from _inside(file, box)


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Mp4Box]:
    """Yield the boxes between two places, by where their content lies."""
    for _ in range(_MAX_BOXES):
        if begin + 8 > end:
            return
        file.seek(begin)
        head = file.read(16)
        size, content = int.from_bytes(head[:4], "big"), begin + 8
        if size == 1:
            size, content = int.from_bytes(head[8:16], "big"), begin + 16
        if size == 0:  # to the end
            size = end - begin
        if size < content - begin or len(head) < 8:
            return
        yield Mp4Box(head[4:8], content, min(begin + size, end))
        begin += size


def _inside(file: BinaryIO, parent: Mp4Box, depth: int = 1) -> Iterator[Mp4Box]:
    """Yield the boxes inside of ``parent``, and those inside of the kinds that only hold others."""
    for box in _boxes(file, parent.begin, parent.end):
        yield box
        if box.name in _PARENTS and depth < _MAX_DEPTH:
            yield from _inside(file, box, depth + 1)


def _content(file: BinaryIO, box: Mp4Box) -> bytes:
    file.seek(box.begin)
    return file.read(min(box.end - box.begin, _MAX_BOX_BYTES))


def _described(file: BinaryIO, moov: Mp4Box) -> dict[int, Mp4Track]:
    tracks: dict[int, Mp4Track] = {}
    units = 0  # of the film's clock, a second
    edits: dict[int, list[tuple[int, int, Fraction]]] = {}
    number, in_fragments = 0, False
    for box in _inside(file, moov):
        if box.name == b"mvhd":
            content = _content(file, box)
            at = 20 if content[:1] == b"\x01" else 12
            units = int.from_bytes(content[at : at + 4], "big")
        elif box.name == b"tkhd":
            content = _content(file, box)
            at = 20 if content[:1] == b"\x01" else 12
            number = int.from_bytes(content[at : at + 4], "big")
            tracks[number] = Mp4Track()
        elif box.name == b"elst" and number:
            edits[number] = list(_edits(_content(file, box)))
        elif box.name == b"stsd" and number:
            tracks[number].scheme = _scheme(file, box)
        elif box.name == b"mvex":
            in_fragments = True
    for place, track in tracks.items():
        clock = Fraction(1, units or 1)
        track.edits = tuple(Edit(length * clock, begin, rate) for length, begin, rate in edits.get(place, ()))
        track.in_fragments = in_fragments
    return tracks


def _edits(content: bytes) -> Iterator[tuple[int, int, Fraction]]:
    """Length, beginning and rate of each entry."""
    width = 8 if content[:1] == b"\x01" else 4
    count = int.from_bytes(content[4:8], "big")
    for at in range(8, min(len(content), 8 + count * (2 * width + 4)) - 2 * width - 3, 2 * width + 4):
        length = int.from_bytes(content[at : at + width], "big")
        begin = int.from_bytes(content[at + width : at + 2 * width], "big", signed=True)
        rate = int.from_bytes(content[at + 2 * width : at + 2 * width + 4], "big", signed=True)
        yield length, begin, Fraction(rate, 1 << 16)


def _scheme(file: BinaryIO, stsd: Mp4Box) -> str | None:
    """Return how a track's samples are encrypted, by its sample entries."""
    for entry in _boxes(file, stsd.begin + 8, stsd.end):
        if entry.name in _PROTECTED:
            content = _content(file, entry)
            at = content.find(b"schm")  # four bytes of version and flags stand before the scheme
            return content[at + 8 : at + 12].decode("latin-1") if at >= 0 else entry.name.decode()
    return None


def _encrypted_fragments(file: BinaryIO, moof: Mp4Box) -> Iterator[int]:
    """Yield the tracks that a fragment has encrypted samples of."""
    number = 0
    for box in _inside(file, moof):
        if box.name == b"tfhd":
            file.seek(box.begin + 4)
            number = int.from_bytes(file.read(4), "big")
        elif box.name == b"senc":
            yield number
        elif box.name == b"uuid":
            file.seek(box.begin)
            if file.read(16) == _PIFF_SENC:
                yield number
