"""How fast frames follow each other, and how long the last one lasts: as containers say it, unless packets contradict.

MPEG-TS and FLV carry neither rates nor lengths, Matroska need not, and what libavformat puts in their place is the
clock of the codec's own header: 600 Hz in what QuickTime made, whatever the rate. MP4 and MOV list both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from reelproc.media.packets.index import IndexedPacket

HEAD_PACKETS = 300
"""How many of a file's first packets tell its rate, where neither the container nor its last packets do."""

_DURATION_CHECK_FRAMES = 60
"""Of the last frames, to tell whether packets say how long they last."""

_NTSC = Fraction(1000, 1001)
_CAMERA_RATES = sorted(
    {Fraction(n) for n in range(1, 241)} | {n * _NTSC for n in (24, 30, 48, 60, 72, 90, 96, 120, 240)}
)
"""Frames per second that cameras film with."""


def end_of_last(ends: Mapping[int, int], format_name: str, *, whole: int = 0) -> int:
    """Return where the last frame ends: as its packet says, or as long as the frame before it lasted.

    Packets are believed where most of them say how long it is to the next frame.

    Args:
        ends: where each frame ends by its packet, by its pts; at least one.
        format_name: the container's.
        whole: where the file ends, as far as it is known: that is the end in AVI, and of a frame that comes alone.
    """
    pts = sorted(ends)[-_DURATION_CHECK_FRAMES:]
    last = pts[-1]
    gaps = [later - earlier for earlier, later in pairwise(pts)]
    true = sum(abs(ends[earlier] - later) <= 1 for earlier, later in pairwise(pts))
    if format_name == "avi" and whole > last:
        return whole
    says = format_name.startswith("mov") or (bool(gaps) and 2 * true >= len(gaps))
    if says and ends[last] > last:
        return ends[last]
    if gaps:
        return last + gaps[-1]
    return whole if whole > last else max(last, ends[last])


def shown_ends(packets: Iterable[IndexedPacket]) -> dict[int, int]:
    """Return where each frame ends by its packets, by its pts."""
    ends: dict[int, int] = {}
    newest = before = None
    for packet in packets:
        if packet.pts is None or packet.is_hidden:
            continue
        end = packet.pts + packet.duration
        if packet.is_shown:
            ends[packet.pts] = max(end, ends.get(packet.pts, end))
            newest = packet.pts if newest is None else max(newest, packet.pts)
        # the second field of the frame before, or "show the last frame again"
        extended = before if packet.field == 2 else newest if not packet.size_bytes else None
        if extended in ends:
            ends[extended] = max(ends[extended], end)
        before = packet.pts
    return ends


def frame_rate(
    stated: Fraction | None,
    tail: Sequence[IndexedPacket],
    head: Callable[[], Sequence[IndexedPacket]],
    time_base: Fraction,
    format_name: str,
) -> Fraction | None:
    """Return the average rate, frames per second: as stated, unless the packets at either end of the file contradict.

    Args:
        stated: by the container; None: not at all.
        tail: the file's last packets.
        head: gives its first ones, :data:`HEAD_PACKETS` of them or all.
        time_base: seconds per unit of time.
        format_name: the container's.
    """
    last = _whole_times(tail, ends=True)
    if len(last) < 2 or not _is_contradicted(stated, last, time_base):
        return stated
    begin = head()
    if len(begin) < HEAD_PACKETS:  # that is all of it
        ends = shown_ends(begin)
        count, span = len(ends), end_of_last(ends, format_name) - min(ends) if ends else 0
        return _named(count, span * time_base, time_base) if span > 0 else stated
    first = _whole_times(begin, begins=True)
    if not _is_contradicted(stated, first, time_base):
        return stated
    count = len(first) + len(last) - 2
    span = first[-1] - first[0] + last[-1] - last[0]
    return _named(count, span * time_base, 2 * time_base)


def _named(count: int, seconds: Fraction, error: Fraction) -> Fraction:
    """Return ``count`` frames in ``seconds`` as the usual rate that it may be, else as it is."""
    nearest = min(_CAMERA_RATES, key=lambda rate: (abs(count / rate - seconds), rate.denominator))
    return nearest if abs(count / nearest - seconds) <= error else count / seconds


def _is_contradicted(stated: Fraction | None, pts: Sequence[int], time_base: Fraction) -> bool:
    """Return whether no two frames are as near, or none as far apart as ``stated`` has them."""
    gaps = [later - earlier for earlier, later in pairwise(pts)]
    if not stated:
        return bool(gaps)
    step = 1 / (stated * time_base)
    return bool(gaps) and not min(gaps) - 1 <= step <= max(gaps) + 1


def _whole_times(packets: Sequence[IndexedPacket], *, begins: bool = False, ends: bool = False) -> list[int]:
    """Return the times of frames between which none is missing, of packets read from the middle on, or up to it.

    Args:
        packets: in decoding order.
        begins: whether they begin with the file's first.
        ends: whether they end with its last.
    """
    shown = [(packet.pts, packet.dts) for packet in packets if packet.is_shown and packet.pts is not None]
    decoded = [dts for _, dts in shown if dts is not None]
    pts = sorted({pts for pts, _ in shown})
    if decoded and not begins:
        delay = max(pts - dts for pts, dts in shown if dts is not None)
        pts = [each for each in pts if each >= decoded[0] + delay]
    if decoded and not ends:
        pts = [each for each in pts if each <= decoded[-1]]
    return pts
