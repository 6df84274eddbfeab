"""Join rendered segments and the sound into one file, packet by packet, without decoding anything.

Every video packet gets its time from the plan, so that the result is exact whatever the segment files rounded. The file
is written beside its destination and appears there by rename.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reelproc.errors import EncodeError, SpecError
from reelproc.partial import partial_path
from reelproc.render.plan import Plan

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

__all__ = ["CONTAINERS", "assemble", "check_container"]

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""File endings that a result may have, and the container that each means."""


def check_container(path: Path) -> None:
    """Raise unless the ending of ``path`` names a container that reelproc writes.

    Raises:
        SpecError: it does not.
    """
    if path.suffix.lower() not in CONTAINERS:
        raise SpecError(f"the output {path.name!r} must end in one of {', '.join(CONTAINERS)}", path=("output",))


def assemble(plan: Plan, segments: Sequence[tuple[int, int, Path]], sound: Path | None, destination: Path) -> None:
    """Write ``destination`` from the files of all segments of ``plan`` and the sound's file.

    Args:
        plan: says when each frame is shown.
        segments: ``(first, end, file)``, in order, together the whole plan.
        sound: an AAC file made by :func:`reelproc.media.audio.render_sound`; None: no sound track.
        destination: appears whole or not at all.

    Raises:
        EncodeError: a segment does not hold the frames that were planned, or the file cannot be written.
    """
    import av

    partial = partial_path(destination)
    flags = {"movflags": "+faststart"} if CONTAINERS[destination.suffix.lower()] != "matroska" else {}
    try:
        with av.open(
            f"file:{partial.absolute()}", "w", format=CONTAINERS[destination.suffix.lower()], options=flags
        ) as out:
            _copy(plan, segments, sound, out)
        partial.replace(destination)
    except (av.FFmpegError, OSError) as error:
        raise EncodeError(f"{destination} cannot be written: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(plan: Plan, segments: Sequence[tuple[int, int, Path]], sound: Path | None, out: OutputContainer) -> None:
    import av

    with av.open(f"file:{segments[0][2].absolute()}") as first:
        template = first.streams.video[0]
        video = out.add_stream_from_template(template)
        video.time_base = _time_base(plan)
        head = bytes(template.codec_context.extradata or b"")
    if sound is None:
        for packet in _video_packets(plan, segments, video, head):
            out.mux(packet)
        return
    from reelproc.media.audio import sound_packets

    with av.open(f"file:{sound.absolute()}") as source:
        audio = out.add_stream_from_template(source.streams.audio[0])
        for packet in _interleaved(_video_packets(plan, segments, video, head), sound_packets(source, audio)):
            out.mux(packet)


def _time_base(plan: Plan) -> Fraction:
    """One in which every frame's time is an integer."""
    if plan.fps is None:
        return plan.clips[0].frames.time_base
    return 1 / plan.fps


def _video_packets(
    plan: Plan, segments: Sequence[tuple[int, int, Path]], stream: Stream, head: bytes
) -> Iterator[Packet[Any]]:
    import av

    base = _time_base(plan)

    def ticks(index: int) -> int:
        """The time of a frame in units of ``base``; frames before the first count on at the nominal rate."""
        if index < 0:
            return int(index / plan.nominal_rate / base) if plan.fps is None else index
        return int(plan.time(index) / base)

    for first, end, path in segments:
        with av.open(f"file:{path.absolute()}") as container:
            source = container.streams.video[0]
            if bytes(source.codec_context.extradata or b"") != head:
                raise EncodeError(
                    f"the segment {path} was encoded with other parameter sets; remove it and render again"
                )
            count = 0
            for packet in _packets(container):
                index = _grid(packet.pts, source.time_base, plan.nominal_rate)
                decode = _grid(packet.dts, source.time_base, plan.nominal_rate)
                packet.stream = stream
                packet.time_base = base
                packet.pts, packet.dts = ticks(first + index), ticks(first + decode)
                packet.duration = max(1, ticks(first + index + 1) - packet.pts)
                count += 1
                yield packet
            if count != end - first:
                raise EncodeError(f"the segment {path} holds {count} frames, planned were {end - first}; remove it")


def _packets(container: InputContainer) -> Iterator[Packet[Any]]:
    return (p for p in container.demux(container.streams.video[0]) if p.size)


def _grid(ticks: int | None, time_base: Fraction | None, rate: Fraction) -> int:
    if ticks is None or time_base is None:
        raise EncodeError("a rendered segment holds a packet without a timestamp")
    return round(ticks * time_base * rate)


def _interleaved(one: Iterator[Packet[Any]], two: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Both streams in order of decoding time, reading no further ahead than one packet each."""
    a, b = next(one, None), next(two, None)
    while a is not None or b is not None:
        if b is None or (a is not None and _seconds(a) <= _seconds(b)):
            if a is not None:
                yield a
            a = next(one, None)
        else:
            yield b
            b = next(two, None)


def _seconds(packet: Packet[Any]) -> Fraction:
    return (packet.dts or 0) * packet.time_base
