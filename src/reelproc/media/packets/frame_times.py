"""Tell which frames a file promises, and when each is shown, from its packets alone: nothing is decoded."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import ceil
from typing import TYPE_CHECKING, cast

from reelproc.errors import ProbeError
from reelproc.media.container.containers import mistimed_after_seek, open_container, without_display_times
from reelproc.media.container.mp4_tracks import joins_parts
from reelproc.media.info import MediaInfo
from reelproc.media.packets.frame_rates import end_of_last
from reelproc.media.packets.index import LAST_PTS, IndexedPacket, ListedKeys, packet_index
from reelproc.storage.source import Source, SourceLike, as_source
from reelproc.timing import exact

if TYPE_CHECKING:
    from av.video.stream import VideoStream as AVVideoStream

_NOTHING_INFERRED = 0x10
"""``AVFMT_FLAG_NOFILLIN``: times are those that the file says."""


@dataclass(frozen=True, slots=True)
class FrameTimes:
    """When the frames of a span are shown.

    Attributes:
        pts: sorted, unique presentation timestamps, in ``time_base`` units.
        end_pts: where the last of them ends: its ``pts`` plus its duration.
        start_pts: the pts of time zero.
        time_base: seconds per unit.
        undecodable: timestamps of packets before the file's first key frame, which no decoder can show.
        seek_pts: where a decoder must seek to for the frames from ``start`` on; None: to begin at the beginning.
        lead_count: how many frames it then decodes before that at ``start``.
        key_pts: the last key frame shown at or before ``start``; None: no packet there is said to be one.
        disorder: how many packets lie after others that are decoded later, or claim a time that is taken: recordings
            joined end to end, whose frames cannot all be shown.
        untimed: how many packets say no time, and libavformat works none out: their frames are left out.
        misled: whether the container marks key frames that are none: its seeks may end at one.
        leading: of the frames of ``pts`` that are shown before a key frame which is decoded before them (an open
            group's), the timestamp of that one: where it is lost, they are made up.
    """

    pts: tuple[int, ...]
    end_pts: int
    start_pts: int
    time_base: Fraction
    undecodable: tuple[int, ...] = ()
    seek_pts: int | None = None
    lead_count: int = 0
    key_pts: int | None = None
    disorder: int = 0
    untimed: int = 0
    misled: bool = False
    leading: Mapping[int, int] = field(default_factory=dict)

    def seconds(self, pts: int) -> Fraction:
        """Return ``pts`` in seconds since time zero."""
        return (pts - self.start_pts) * self.time_base


def frame_times(
    path: SourceLike,
    info: MediaInfo,
    *,
    start: Fraction | None = None,
    end: Fraction | None = None,
) -> FrameTimes:
    """Return the timestamps of all frames that the file promises in ``[start, end)``, and one frame on either side.

    Nothing is decoded: a damaged packet is listed here like any other, and found out while reading. What an edit list
    hides, empty packets, and packets before the very first key frame (a recording that begins in the middle of a
    group of pictures) are not listed, since no player shows them. Only the span's packets are read, from the key frame
    before it.

    Args:
        path: a local file name, or a source that is open.
        info: what :func:`~reelproc.media.probe.probe.probe` said of it.
        start: seconds since time zero; None: from the first frame.
        end: seconds since time zero; None: to the last frame.

    Raises:
        ObjectNotFoundError: there is no such file.
        ProbeError: it has no video, or no packet of it has a timestamp.
    """
    source, video = as_source(path), info.require_video()
    low, high = (
        None if bound is None else video.start_pts + ceil(exact(bound) / video.time_base) for bound in (start, end)
    )
    for back in (0, 1, 5, 30, None):  # seconds that the seek aims before the span; at last from the beginning
        seek = None if low is None or back is None else low - 1 - ceil(back / video.time_base)
        if seek is not None and seek <= video.start_pts:
            seek = None
        with open_container(source) as container:
            stream = container.streams[video.index]
            seek = None if seek is None or joins_parts(source, stream.id) else seek
            packets = packet_index(container, cast("AVVideoStream", stream), seek_pts=seek)
            if seek is not None and mistimed_after_seek(info.format_name):
                packets = islice(packets, _mistimed_count(source, video.index, seek), None)
            listed = ListedKeys(cast("AVVideoStream", stream), info.format_name)
            try:
                scan = _Scan.run(packets, None if seek is None else low, high, listed)
            except ProbeError:  # no seek ends anywhere, not even at the beginning: only a file just opened stands there
                continue
        if seek is None or scan.ends:
            break
    pts = sorted(scan.ends)
    if not pts:
        raise ProbeError(f"{source.name!r}: no packet of its video stream has a timestamp")
    first = 0 if low is None else max(0, bisect_left(pts, low) - 1)
    last = len(pts) if high is None else min(len(pts), bisect_left(pts, high) + 1)
    kept = tuple(pts[first:last]) or (pts[-1],)
    whole = video.start_pts + int(info.duration / video.time_base)
    end_pts = pts[last] if last < len(pts) else end_of_last(scan.ends, info.format_name, whole=whole)
    undecodable = () if seek is not None else tuple(sorted(scan.undecodable))
    key_pts = max((shown for shown, _ in scan.keys if low is None or shown <= low), default=None)
    aim, lead = None, 0
    if low is not None:
        begin = pts[0]
        if seek is not None and key_pts is not None and not without_display_times(info.format_name, video.codec):
            aim = seek  # the very one after which these keys were found
            if not mistimed_after_seek(info.format_name):
                aim = seek_aim(scan.keys, low, info.format_name, in_fields=scan.in_fields, misled=scan.misled)
            begin = key_pts
        lead = bisect_left(pts, low) - bisect_left(pts, begin)
    return FrameTimes(
        kept,
        end_pts,
        video.start_pts,
        video.time_base,
        undecodable=undecodable,
        seek_pts=aim,
        lead_count=lead,
        key_pts=key_pts,
        disorder=scan.disorder,
        untimed=scan.untimed,
        misled=scan.misled,
        leading={shown: scan.leading[shown] for shown in kept if shown in scan.leading},
    )


def _mistimed_count(source: Source, index: int, seek_pts: int) -> int:
    """Return how many packets after a seek come before the second that says its own time: theirs may be wrong."""
    count = said = 0
    with open_container(source) as container:
        container.flags |= _NOTHING_INFERRED
        for packet in packet_index(container, cast("AVVideoStream", container.streams[index]), seek_pts=seek_pts):
            said += packet.pts is not None
            if said == 2:
                break
            count += 1
    return count


@dataclass(slots=True)
class _Scan:
    """The findings of a run over packets.

    Attributes:
        ends: pts of each frame to be shown, and where it ends.
        undecodable: pts of packets that are no use without what lies before them.
        keys: (pts, dts) of the key frames.
        disorder, untimed, misled, leading: see :class:`FrameTimes`.
        in_fields: whether there are frames in two packets.
    """

    ends: dict[int, int] = field(default_factory=dict)
    undecodable: list[int] = field(default_factory=list)
    keys: list[tuple[int, int]] = field(default_factory=list)
    disorder: int = 0
    untimed: int = 0
    misled: bool = False
    leading: dict[int, int] = field(default_factory=dict)
    in_fields: bool = False

    @classmethod
    def run(cls, packets: Iterator[IndexedPacket], low: int | None, high: int | None, listed: ListedKeys) -> _Scan:
        """Go through the packets until all that are shown before ``high``, and one more, have been seen.

        Args:
            packets: in decoding order.
            low: None where they come from the file's beginning. After a seek, the first timestamp that is wanted; finds
                nothing (``ends`` stays empty) when the seek reached no key frame shown before that.
            high: the end of what is wanted; None: all.
            listed: the key frames by the container's index.
        """
        scan = cls()
        after_seek = low is not None
        beyond: int | None = None  # the smallest pts at or above ``high``: the one frame after the span
        newest: int | None = None
        decoded: int | None = None  # the newest dts
        before: int | None = None  # the pts of the packet before
        key: int | None = None  # the pts of the last key frame, be it rubbish
        # Up to where times are told again, by key frames that are shown before what was decoded before them: of the
        # containers that say no dts, where libavformat infers a wrong one; None: any dts is believed.
        again = -LAST_PTS if listed.by_pts else None
        for packet in packets:
            if packet.is_hidden:
                continue
            first, before = before, packet.pts
            if packet.pts is None:
                scan.untimed += packet.holds_frame
                continue
            dts = packet.pts if packet.dts is None else packet.dts
            if packet.is_shown and packet.dts is not None:
                if again is not None and packet.is_keyframe and newest is not None and packet.pts < newest:
                    again = newest
                goes_back = decoded is not None and dts < decoded and (again is None or packet.pts < again)
                scan.disorder += goes_back or packet.pts in scan.ends
                decoded = dts if decoded is None else max(decoded, dts)
            if beyond is not None and dts > beyond:
                break  # every packet from here on is shown later still
            if packet.field == 2:
                scan.in_fields = True
                if first in scan.ends:
                    scan.ends[first] = max(scan.ends[first], packet.pts + packet.duration)
                continue
            scan.misled = scan.misled or packet.is_mistaken
            if (packet.is_keyframe or packet in listed) and not packet.is_mistaken:
                key = packet.pts
            if packet.is_keyframe:
                scan.keys.append((packet.pts, dts))
                if low is not None and scan.keys[0][0] >= low:
                    break
            if not scan.keys or (packet.pts < scan.keys[0][0] and (after_seek or scan.undecodable)):
                # Before the first key frame, or shown before it though stored after it (a leading picture of an
                # open group): not decodable when starting here.
                if packet.is_shown:
                    scan.undecodable.append(packet.pts)
            elif packet.is_shown:
                scan.ends[packet.pts] = packet.pts + packet.duration
                if key is not None and packet.pts < key:
                    scan.leading[packet.pts] = key
                newest = packet.pts if newest is None else max(newest, packet.pts)
                if high is not None and packet.pts >= high:
                    beyond = packet.pts if beyond is None else min(beyond, packet.pts)
            elif not packet.size_bytes and newest is not None:  # "show the last frame again"
                scan.ends[newest] = max(scan.ends[newest], packet.pts + packet.duration)
        if not scan.keys and not after_seek:  # the container marks no key frames at all: believe in every packet
            scan.ends, scan.undecodable = dict.fromkeys(scan.undecodable, 0), []
        return scan


def seek_aim(
    keys: Sequence[tuple[int, int]], low: int, format_name: str, *, in_fields: bool = False, misled: bool = False
) -> int:
    """Return the timestamp whose seek lands on the last key frame shown at or before ``low``.

    Containers with an index seek by dts, some by pts. A key frame that is shown after ``low`` may be decoded before
    it: the frame at ``low`` is then a leading picture of an open group, and needs the key frame before. Containers
    without an index go to any packet, and an index that lists key frames which are none leads to one of them: there the
    key frame's own dts is the aim. Where the index may list the second field of the key frame, too, its own pts is: the
    field is shown later.

    Args:
        keys: (pts, dts) of key frames, at least one of them shown at or before ``low``, and the next if there is one.
        low: the first timestamp that is wanted.
        format_name: the container's.
        in_fields: whether there are frames in two packets.
        misled: whether the container marks key frames that are none.
    """
    if format_name == "mpegts" or (misled and not format_name.startswith("matroska")):
        return max(dts for pts, dts in keys if pts <= low)
    if in_fields or misled:
        return max(pts for pts, _ in keys if pts <= low)
    return min([low, *(dts - 1 for pts, dts in keys if pts > low)])
