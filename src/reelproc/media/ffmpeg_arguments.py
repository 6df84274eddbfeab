"""Write names, values and filters as arguments of ffmpeg, so that none of them is taken for something else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reelproc.storage.source import Source


def option_value(text: str) -> str:
    r"""Escape ``text`` to stand as an option's value in a filter's arguments, whatever characters it holds.

    >>> print(option_value("it's 1:1"))
    it\'s 1\:1
    """
    return re.sub(r"([\\':])", r"\\\1", text)


def filter_chain(filters: Sequence[str]) -> str:
    r"""Join filters, each ``name=arguments`` with its values escaped, to the chain that ``-vf`` and ``-af`` take.

    The graph's own level of escaping is added here (ffmpeg's manual, "Notes on filtergraph escaping").

    >>> print(filter_chain(["select=gte(pts,5)", "hflip"]))
    select=gte(pts\,5),hflip
    """
    return ",".join(re.sub(r"([\\'\[\],;])", r"\\\1", each) for each in filters)


CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,vob,flv,live_flv,asf,ogg,mxf,nut,wtv,rm,swf,"
    "dv,gif,apng,ivf,obu,av1,h261,h263,h264,hevc,vvc,vc1,m4v,mjpeg,yuv4mpegpipe,"
    "wav,w64,mp3,aac,flac,ac3,eac3,dts,caf,aiff,au,tta,wv,ape,opus"
)
"""The containers that are read. Playlists and scripts (hls, dash, concat, image sequences) name other files: they are
not."""


def input_arguments(source: Source, *options: str) -> list[str]:
    """Return the arguments that make ``source`` an input of ffmpeg, with ``options`` (``-ss``, ...) before it.

    A file that is really a playlist is refused.
    """
    return ["-format_whitelist", CONTAINER_FORMATS, *options, *source.input()]
