"""Media files opened and made with PyAV, safely, and with the errors of this package.

Local names are never URLs, and only real containers are opened: a playlist that names other files is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from reelproc.errors import ObjectNotFoundError, ProbeError
from reelproc.media.bitstream.hevc import listed_sets
from reelproc.media.container.file_structure import promised_size
from reelproc.media.container.mp4_tracks import encrypted, encryption_scheme
from reelproc.media.ffmpeg_arguments import CONTAINER_FORMATS
from reelproc.storage.source import FILE_PROTOCOLS, Source, file_argument

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream as AVVideoStream

MAX_PIXELS = 64_000_000
"""Of one frame; decoders refuse more, so that a stream that grows on the way does not take all memory."""

_WRITTEN_BYTES = 1 << 20
"""Of a new file, at a time."""


@contextmanager
def open_container(source: Source) -> Iterator[InputContainer]:
    """Open a media file with PyAV, safely and with the errors of this package.

    Raises:
        ObjectNotFoundError: there is no such file.
        ProbeError: it is a directory, a pipe, empty, unreadable, or of no kind that can be read.
    """
    import av

    check_file(source)
    options = {"protocol_whitelist": FILE_PROTOCOLS, "format_whitelist": CONTAINER_FORMATS}
    file: Any = source.open() if source.path is None else file_argument(source.path)
    try:
        container = av.open(file, "r", options=options, metadata_errors="replace")
    except (av.FFmpegError, ValueError) as error:
        if (scheme := encryption_scheme(source)) is not None:
            raise encrypted(source, scheme) from error
        size, expected = check_file(source), promised_size(source) or 0
        cut = f"; it is cut off: {size} of {expected} bytes are there" if expected > size else ""
        raise ProbeError(
            f"{source.name!r} cannot be opened as video or sound ({error}{cut}); expected a media file such as "
            "mp4, mov, mkv, webm, avi or ts"
        ) from error
    with container:
        for stream in container.streams.video:
            if stream.codec_context is not None:
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        yield container


@contextmanager
def create_container(path: Path, format_name: str, options: Mapping[str, str]) -> Iterator[OutputContainer]:
    """Make a media file with PyAV, whose streams and packets come from the block.

    PyAV gets an open file: one that it opens by name stays open for good where no header can be written.

    Args:
        path: the file to make.
        format_name: a muxer of ffmpeg.
        options: of the muxer.

    Raises:
        OSError: the file cannot be written.
    """
    import av

    with path.open("wb") as file:

        def read_again(*_: object) -> IO[bytes]:
            """For ``faststart``, which moves what is written."""
            file.flush()
            return path.open("rb")

        made = av.open(
            file, "w", format=format_name, options=dict(options), buffer_size=_WRITTEN_BYTES, io_open=read_again
        )
        with made as container:
            yield container


def demuxed(container: InputContainer, *streams: Stream) -> Iterator[Packet[Any]]:
    """Yield the packets of some of a container's streams, in the order of the file.

    In a damaged broadcast, streams may turn up on the way that were not there when it was opened. PyAV stops at their
    first packet with an IndexError; this goes on after it. Packets :func:`without_display_times` have their decoding
    time as ``pts``, not libavformat's guess.
    """
    untimed = {stream.index for stream in streams if without_display_times(container.format.name, stream.name)}
    while True:
        try:
            for packet in container.demux(*streams):
                if packet.stream_index in untimed:
                    packet.pts = packet.dts
                yield packet
        except IndexError:
            continue
        return


_REORDERING = ("h264", "mpeg4", "mpeg1video", "mpeg2video")
"""Codecs that have pictures which are shown in another order than they are decoded."""


def without_display_times(format_name: str, codec: str | None) -> bool:
    """Return whether a stream's packets say when they are decoded and not when they are shown: H.264 and MPEG in AVI.

    Their frames are counted, from the file's beginning: where a seek leaves leading pictures without ground, there are
    fewer frames than times.
    """
    return format_name == "avi" and codec in _REORDERING


BARE_STREAMS = ("h261", "h263", "h264", "hevc", "m4v", "mjpeg", "mpegvideo", "obu", "vc1", "vvc")
"""Formats that are nothing but a codec's own stream: after a seek in one, nobody knows what time it is."""


def without_timestamps(name: str, format_name: str) -> ProbeError:
    """Return the error for a file in which no place can be found."""
    return ProbeError(
        f"{name!r} is a bare {format_name} stream without timestamps, or damaged so that no place in it can be found; "
        "put it into a container: ffmpeg -i IN -c copy OUT.mkv"
    )


def mistimed_after_seek(format_name: str) -> bool:
    """Return whether packets after a seek may have wrong times: in program streams, ``.mpg`` and ``.vob``.

    There a time belongs to the first picture that begins after it, and most pictures have none of their own (ISO/IEC
    13818-1, 2.4.3.7 and 2.7.4). After a seek libavformat gives the first time to the rest of the picture before, and
    counts on from there: all are a picture late up to the next time that is said.
    """
    return format_name == "mpeg"


def copied_stream(out: OutputContainer, template: AVVideoStream) -> AVVideoStream:
    """Return a stream in ``out`` for packets of ``template``, as they are.

    PyAV looks for an encoder called as the template's decoder is. Where there is none (libdav1d, theora, vc1), the
    stream keeps the decoder's context, which packets do not need.

    HEVC is tagged ``hvc1`` in MP4 and MOV where its header lists its parameter sets. Left to itself the muxer says
    ``hev1`` (they may stand among the pictures), which no Apple player plays. ProRes keeps its own tag, which says its
    kind.
    """
    decoder = template.codec_context.codec.name
    copy = out.add_stream_from_template(template, opaque=None if _is_encoder(decoder) else True)
    if (
        decoder == "hevc"
        and out.format.name in ("mp4", "mov")
        and listed_sets(bytes(template.codec_context.extradata or b""))
    ):
        copy.codec_context.codec_tag = "hvc1"
    elif out.format.name == "mov" and template.codec_context.codec_tag in _PRORES_TAGS:
        copy.codec_context.codec_tag = template.codec_context.codec_tag
    return copy


_PRORES_TAGS = ("ap4x", "ap4h", "apch", "apcn", "apcs", "apco")
"""Which of its six kinds a ProRes stream is; left to itself the muxer calls every one ``apch``."""


def _is_encoder(name: str) -> bool:
    from av.codec import Codec
    from av.codec.codec import UnknownCodecError

    try:
        Codec(name, "w")
    except UnknownCodecError:
        return False
    return True


def check_file(source: Source) -> int:
    """Return the size in bytes of a source that is a regular, readable, non-empty file, or has been opened elsewhere.

    Raises:
        ObjectNotFoundError: there is no such file.
        ProbeError: it is not a regular file (a directory, a pipe, a device), it is empty, or it cannot be read.
    """
    name, path = source.name, source.path
    if path is None:
        return source.size
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ObjectNotFoundError(f"there is no file {name!r}") from None
    except (OSError, ValueError) as error:
        raise ProbeError(f"{name!r} cannot be looked at: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        kind = "directory" if stat.S_ISDIR(status.st_mode) else "pipe, socket or device"
        raise ProbeError(f"{name!r} is a {kind}, expected a media file")
    if not status.st_size:
        raise ProbeError(f"{name!r} is empty, expected a media file")
    if not os.access(path, os.R_OK):
        raise ProbeError(f"{name!r} may not be read by this user; check its permissions")
    return status.st_size
