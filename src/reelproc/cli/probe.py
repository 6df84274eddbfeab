"""``reelproc probe``: what a file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelproc.cli.common import common_options, say
from reelproc.cli.stdin_source import is_piped, shown_source, source_from_pipe

if TYPE_CHECKING:
    from reelproc.media.info import AudioStream, MediaInfo, VideoStream


@click.command()
@click.argument("src", metavar="SRC")
@click.option("--exact", is_flag=True, help="Decode everything, to count the frames that can really be shown.")
@common_options
@source_from_pipe
def probe(src: str, exact: bool, as_json: bool) -> None:
    """Say what SRC is: streams, sizes, rates, colours, and with --exact its true frame count.

    SRC is a file, s3://BUCKET/KEY or https://..., of which no more is fetched than is looked at, or "-" for standard
    input.
    """
    from reelproc.media.probe.anywhere import probe_address

    info = probe_address(src, exact=exact)
    if is_piped(src):
        info = info.model_copy(update={"path": shown_source(src)})
    say(info, as_json=as_json, text="\n".join(_lines(info)), warnings=info.warnings)


def _lines(info: MediaInfo) -> list[str]:
    lines = [f"{info.path}: {info.format_name}, {info.size_bytes:,} bytes, {float(info.duration):.3f} s"]
    if info.video is not None:
        lines.append(_video(info.video, info.video_stream_count))
    if info.audio is not None:
        lines.append(_audio(info.audio, info.audio_stream_count))
    if info.frame_count is not None:
        lines.append(f"  frames {info.frame_count} can be shown, of {info.packet_count} packets")
    return lines


def _video(video: VideoStream, count: int) -> str:
    colour = video.colour
    rate = f"{float(video.average_rate):.5g} per second on average" if video.average_rate else "rate unknown"
    parts = [
        f"  video  #{video.index}{_of(count)} {video.codec} {video.pix_fmt}, {video.width}x{video.height}",
        rate,
        f"{colour.matrix} {'full' if colour.full_range else 'limited'} range{', HDR' if colour.is_hdr else ''}",
    ]
    if video.interlaced:
        parts.append("interlaced")
    if video.rotation or video.hflip:
        mirrored = " and mirrored" if video.hflip else ""
        parts.append(f"turned by {video.rotation} degrees{mirrored} (stored {video.coded_width}x{video.coded_height})")
    if video.sample_aspect_ratio != 1:
        parts.append(f"pixels of {video.sample_aspect_ratio.numerator}:{video.sample_aspect_ratio.denominator}")
    return ", ".join(parts)


def _audio(audio: AudioStream, count: int) -> str:
    length = "" if audio.duration is None else f", {float(audio.duration):.3f} s"
    return (
        f"  audio  #{audio.index}{_of(count)} {audio.codec}, {audio.sample_rate} Hz {audio.layout}, "
        f"starts {float(audio.start):+.3f} s{length}"
    )


def _of(count: int) -> str:
    return f" (the first of {count})" if count > 1 else ""
