"""Look at a media file: its streams, sizes, colours, and exact times. No ffprobe is needed.

:func:`probe` opens the file with PyAV and decodes one frame, which alone knows the display matrix and the colours of
many files. :func:`frame_times` (of :mod:`reelproc.media.packets.frame_times`) lists when each frame is shown.
"""

from __future__ import annotations

import itertools
import struct
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Any, cast

from reelproc.errors import ProbeError
from reelproc.media.bitstream.field_pairs import FieldPairs
from reelproc.media.container.containers import (
    BARE_STREAMS,
    MAX_PIXELS,
    check_file,
    open_container,
    without_display_times,
    without_timestamps,
)
from reelproc.media.container.file_structure import promised_size
from reelproc.media.container.mp4_tracks import check_tracks, encrypted
from reelproc.media.decode.decoding import decoded_frames, is_reordered
from reelproc.media.decode.frame_order import frame_pts
from reelproc.media.info import AudioStream, MediaInfo, VideoStream
from reelproc.media.packets.frame_rates import HEAD_PACKETS, end_of_last, frame_rate, shown_ends
from reelproc.media.packets.index import IndexedPacket, packet_index
from reelproc.media.probe.beginning import begin
from reelproc.media.probe.side_data import side_data
from reelproc.media.stream_colour import MATRICES, PRIMARIES, TRANSFERS, UNSPECIFIED, ColourInfo
from reelproc.pixels.orientation import Orientation
from reelproc.storage.source import Source, SourceLike, as_source

if TYPE_CHECKING:
    from av.audio.stream import AudioStream as AVAudioStream
    from av.container import InputContainer
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream as AVVideoStream

MAX_SIDE = 16_384
"""Pixels; larger pictures are refused before memory is reserved for them."""


def probe(path: SourceLike, *, exact: bool = False) -> MediaInfo:
    """Look at a media file.

    Args:
        path: a local file name, never taken for a URL; or a source that is open.
        exact: decode the whole video to count the frames it really shows, beside its packets.

    Raises:
        ObjectNotFoundError: there is no such file.
        ProbeError: it is no media file, its video cannot be decoded at all, or its pictures are absurdly large (more
            than 16384 pixels a side or 64 million in all).
    """
    source = as_source(path)
    size = check_file(source)
    warnings: list[str] = []
    with open_container(source) as container:
        pictures, sounds = choose_streams(container)
        if not pictures and not sounds:
            raise ProbeError(f"{source.name!r} has neither video nor sound")
        _check_readable(source, [*pictures[:1], *sounds[:1]])
        video = _video(container, pictures[0], source, warnings) if pictures else None
        format_name = container.format.name
        if video is not None and format_name in BARE_STREAMS:
            raise without_timestamps(source.name, format_name)
        audio = _audio(sounds[0], video) if sounds else None
        if video is not None:
            cut = _is_cut_off(source, pictures[0])
            last = _last_packets(source, container, pictures[0], video, cut)
            duration = _duration(container, pictures[0], video, last, cut, warnings)
            if _tells_no_display_times(source, container, pictures[0], last):
                warnings.append(
                    "its packets say when pictures are decoded and not when they are shown: pictures are out of order. "
                    "Write them anew by their codec's order: ffmpeg -i IN -map 0:v -c copy BARE.h264, then "
                    "ffmpeg -r RATE -i BARE.h264 OUT.mp4"
                )
            video = video.model_copy(update={"average_rate": _frame_rate(source, container, pictures[0], video, last)})
        else:
            duration = (audio.duration if audio else None) or Fraction(0)
    info = MediaInfo(
        path=source.name,
        format_name=format_name,
        size_bytes=size,
        duration=duration,
        video=video,
        audio=audio,
        video_stream_count=len(pictures),
        audio_stream_count=len(sounds),
        warnings=tuple(warnings),
    )
    if exact and video is not None:
        packets, frames = _count(source, video)
        info = info.model_copy(update={"packet_count": packets, "frame_count": frames})
    return info


def choose_streams(container: InputContainer) -> tuple[list[AVVideoStream], list[AVAudioStream]]:
    """Return the streams with moving pictures, and those with sound, first the one that is used.

    The rule, the same for all backends: the first stream in the file's order that is not an attached picture (a cover).
    """
    from av.stream import Disposition

    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    return pictures, list(container.streams.audio)


def _check_readable(source: Source, streams: Sequence[Stream]) -> None:
    """Refuse what would be decoded to rubbish, or shown otherwise than it is meant."""
    if any("enc_key_id" in stream.metadata for stream in streams):  # so libavformat hands on Matroska's encryption
        raise encrypted(source, "Matroska")
    hidden: dict[int, Fraction] = {}
    for stream in streams:
        early = -(stream.start_time or 0) * Fraction(stream.time_base or 1)
        rate = getattr(stream, "average_rate", None)
        hidden[stream.id] = early if rate and early * rate >= 1 else Fraction(0)
    check_tracks(source, hidden)


def _video(container: InputContainer, stream: AVVideoStream, source: Source, warnings: list[str]) -> VideoStream:
    context: Any = stream.codec_context
    if context is None:
        raise ProbeError(f"{source.name!r}: there is no decoder for its video stream")
    check_size(context.width, context.height, source)
    frame, following, skipped, start_pts = begin(container, stream, source)
    check_size(frame.width, frame.height, source)
    if skipped:
        warnings.append(f"{skipped} packets in front of the first decodable frame cannot be shown")
    orientation = _orientation(frame, warnings)
    width, height = frame.width, frame.height
    ratio = Fraction(stream.sample_aspect_ratio or context.sample_aspect_ratio or 1)
    if orientation.swaps_sides:
        width, height, ratio = height, width, 1 / ratio
    time_base = Fraction(stream.time_base or Fraction(1, 90_000))
    if without_display_times(container.format.name, stream.name):  # its start is as much of a guess
        start_pts = next((entry.timestamp for entry in stream.index_entries), 0)
    return VideoStream(
        index=stream.index,
        codec=context.codec.canonical_name,
        pix_fmt=frame.format.name,
        coded_width=frame.width,
        coded_height=frame.height,
        width=width,
        height=height,
        rotation=orientation.rotation,
        hflip=orientation.hflip,
        sample_aspect_ratio=ratio,
        time_base=time_base,
        start_pts=start_pts or 0,
        average_rate=Fraction(stream.average_rate) if stream.average_rate else None,
        interlaced=_holds_fields(frame, following, stream),
        colour=_colour(frame, context),
    )


FIELD_FRAMES = 25
"""How many of a stream that may hold fields are looked at for some that do."""


def _holds_fields(frame: VideoFrame, following: Iterator[VideoFrame], stream: AVVideoStream) -> bool:
    """Return whether a frame, or one of those that follow it, is woven of two fields."""
    codec = stream.codec_context.codec.canonical_name
    if codec == "hevc":
        return False  # there a field is a picture of its own
    mixed = codec in ("mpeg2video", "mpeg4", "vc1", "wmv3") or FieldPairs.of(stream) is not None
    return frame.interlaced_frame or (
        mixed and any(each.interlaced_frame for each in itertools.islice(following, FIELD_FRAMES))
    )


def check_size(width: int, height: int, source: Source) -> None:
    """Refuse pictures that nobody films.

    Raises:
        ProbeError: a side is beyond 16384 pixels, or the picture beyond 64 million.
    """
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise ProbeError(
            f"{source.name!r} says that its pictures are {width}x{height}; at most {MAX_SIDE} pixels a side and "
            f"{MAX_PIXELS // 1_000_000} million in all are read"
        )


def _orientation(frame: VideoFrame, warnings: list[str]) -> Orientation:
    orientation = Orientation.from_display_matrix(side_data(frame, "DISPLAYMATRIX"))
    if not orientation.exact:
        warnings.append("the display matrix asks for a turn that is no multiple of 90 degrees; it is not applied")
    return orientation


def _colour(frame: VideoFrame, context: Any) -> ColourInfo:
    """Colours as the frame says, else as the codec parameters say."""

    def name(table: dict[int, str], *values: int | None) -> str:
        return next((table[int(v)] for v in values if v is not None and int(v) in table), UNSPECIFIED)

    full = int(frame.color_range or 0) or int(context.color_range or 0)
    pix_fmt = frame.format.name
    return ColourInfo(
        matrix=name(MATRICES, frame.colorspace, context.colorspace),
        primaries=name(PRIMARIES, frame.color_primaries, context.color_primaries),
        transfer=name(TRANSFERS, frame.color_trc, context.color_trc),
        full_range=full == 2 or pix_fmt.startswith("yuvj"),
        peak_nits=_peak_nits(frame),
    )


def _peak_nits(frame: VideoFrame) -> float | None:
    """Return the brightest light by the frame's HDR metadata: MaxCLL, else the mastering display's peak."""
    light = side_data(frame, "CONTENT_LIGHT_LEVEL")
    if len(light) >= 8:
        max_cll = int.from_bytes(light[:4], sys.byteorder)
        if max_cll:
            return float(max_cll)
    display = side_data(frame, "MASTERING_DISPLAY_METADATA")
    if len(display) >= 88:
        # AVMasteringDisplayMetadata: ten rationals, of which the last is the greatest luminance, and two flags, of
        # which the last says whether the luminances are known
        values: tuple[int, ...] = struct.unpack("=22i", display[:88])
        number, divisor, has_luminance = values[18], values[19], values[21]
        if has_luminance and number > 0 and divisor > 0:
            return number / divisor
    return None


def _audio(stream: AVAudioStream, video: VideoStream | None) -> AudioStream:
    base = Fraction(stream.time_base or Fraction(1, 90_000))
    zero = video.start_pts * video.time_base if video else Fraction(0)
    context: Any = stream.codec_context  # None where there is no decoder for it
    return AudioStream(
        index=stream.index,
        codec=context.codec.canonical_name if context else "unknown",
        sample_rate=context.sample_rate if context else 0,
        channels=context.channels if context else 0,
        layout=context.layout.name if context else "unknown",
        start=(stream.start_time or 0) * base - zero,
        duration=stream.duration * base if stream.duration else None,
    )


TAIL_SECONDS = (2, 30)
"""How far before its end a file is looked at for its last two frames."""

MIN_TIMED_PACKETS = 10
"""Packets that tell whether a file knows two times of each."""

HEADER_SLACK_SECONDS = Fraction(1, 4)
"""A header may promise this much more than there is: the last packet's own length is not always known."""


def _is_cut_off(source: Source, stream: AVVideoStream) -> bool:
    """Tell whether the file ends before what its header lists."""
    size = check_file(source)
    listed = itertools.islice(reversed(stream.index_entries), 100)
    return (promised_size(source) or 0) > size or any(entry.pos + entry.size > size for entry in listed)


def _last_packets(
    source: Source, container: InputContainer, stream: AVVideoStream, video: VideoStream, cut: bool
) -> list[IndexedPacket]:
    """Return the packets of the last seconds; all where two frames cannot be found in them."""
    whole = container.duration * Fraction(1, 1_000_000) if container.duration else Fraction(0)
    length = stream.duration or int(whole / video.time_base)
    for seconds in TAIL_SECONDS:
        tail = video.start_pts + length - ceil(seconds / video.time_base)
        if tail > video.start_pts and not cut:
            try:
                packets = list(packet_index(container, stream, seek_pts=tail, any_frame=True))
            except ProbeError:  # no seek ends anywhere
                break
            if sum(packet.is_shown for packet in packets) > 1:
                return packets
    return _first_packets(source, stream.index)


def _first_packets(source: Source, index: int, count: int | None = None) -> list[IndexedPacket]:
    """Return the packets from the file's beginning, where no seek is sure to end; None: all."""
    with open_container(source) as reopened:
        packets = packet_index(reopened, cast("AVVideoStream", reopened.streams[index]))
        return list(itertools.islice(packets, count))


def _duration(
    container: InputContainer,
    stream: AVVideoStream,
    video: VideoStream,
    packets: Sequence[IndexedPacket],
    cut: bool,
    warnings: list[str],
) -> Fraction:
    """Seconds of the video: what its stream says, unless its packets say that this is wrong or say nothing.

    Matroska, WebM and MPEG-TS know only how long the file is, sound included; the headers of some variable-rate files
    end before their last frame begins; a truncated file's header promises what is not there, and so does one that lies.
    """
    header, format_name = stream.duration or 0, container.format.name
    ends = shown_ends(packets)
    end = end_of_last(ends, format_name) if ends else video.start_pts
    last_begins = max(ends, default=0) - video.start_pts
    there, promised = max(end - video.start_pts, 0) * video.time_base, header * video.time_base
    if cut:
        warnings.append(f"the file is cut off: {float(there):.3f} s of its video are there")
        return there
    if there and promised - there > HEADER_SLACK_SECONDS:
        warnings.append(f"its header promises {float(promised):.3f} s of video, and {float(there):.3f} s are there")
        return there
    if format_name == "mpegts":  # it promises nothing: libavformat works the length out, with the length of a packet
        return there
    # MP4 states the length of an edit in milliseconds, cut off: the packets are more exact.
    return promised if header > last_begins and abs(promised - there) > Fraction(1, 500) else there


def _tells_no_display_times(
    source: Source, container: InputContainer, stream: AVVideoStream, packets: Sequence[IndexedPacket]
) -> bool:
    """Tell whether H.264 has B-frames whose times are those of decoding, as where a muxer left them out of MP4."""
    context = stream.codec_context
    told = [packet for packet in packets if packet.is_shown and packet.dts is not None]
    if context.codec.canonical_name != "h264" or not context.has_b_frames or container.format.name == "avi":
        return False
    if len(told) < MIN_TIMED_PACKETS or any(packet.pts != packet.dts for packet in told):
        return False
    return is_reordered(source, stream.index)


def _frame_rate(
    source: Source,
    container: InputContainer,
    stream: AVVideoStream,
    video: VideoStream,
    packets: Sequence[IndexedPacket],
) -> Fraction | None:
    """Return the frames per second, by the container, unless its packets contradict."""
    stated = video.average_rate
    counted = stream.frames / (stream.duration * video.time_base) if stream.duration else 0
    shown = sorted(shown_ends(packets))
    if any(p.field == 2 for p in packets) and len(shown) > 1:  # two packets for a frame: it may have counted both
        seen = (len(shown) - 1) / ((shown[-1] - shown[0]) * video.time_base)
        named = () if stated is None else (stated, stated / 2)
        return next((rate for rate in named if abs(rate - seen) < seen / 100), seen)
    counts_hidden = any(p.is_hidden for p in packets)  # as if they were frames
    if stated is not None and abs(counted - stated) < stated / 10 and not counts_hidden:
        return stated  # the mean of all frames, which it lists

    def head() -> list[IndexedPacket]:
        return _first_packets(source, stream.index, HEAD_PACKETS)

    return frame_rate(stated, packets, head, video.time_base, container.format.name)


def _count(source: Source, video: VideoStream) -> tuple[int, int]:
    """Count the packets that hold data, and frames that can be decoded and are shown."""
    with open_container(source) as container:
        stream = cast("AVVideoStream", container.streams[video.index])
        packets = sum(packet.size_bytes > 0 for packet in packet_index(container, stream))
    return packets, len({frame_pts(frame) for frame in decoded_frames(source, video.index)})
