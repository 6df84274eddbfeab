"""Write names, values and filters as arguments of ffmpeg, so that none of them is taken for something else."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from reelproc.storage.stand_in import partial_file

__all__ = ["CONTAINER_FORMATS", "PROTOCOLS", "file_argument", "filter_chain", "input_arguments", "option_value"]


def file_argument(path: str | os.PathLike[str]) -> str:
    """``path`` as ffmpeg must be given it: never taken for an option, a protocol, a pattern or a playlist.

    >>> file_argument("-x.mp4").startswith("file:/")
    True
    """
    return "file:" + str(Path(os.fspath(path)).absolute())


def option_value(text: str) -> str:
    r"""``text`` escaped to stand as an option's value in a filter's arguments, whatever characters it holds.

    >>> print(option_value("it's 1:1"))
    it\'s 1\:1
    """
    return re.sub(r"([\\':])", r"\\\1", text)


def filter_chain(filters: Sequence[str]) -> str:
    r"""Filters, each ``name=arguments`` with its values escaped, joined to the chain that ``-vf`` and ``-af`` take.

    The graph's own level of escaping is added here (ffmpeg's manual, "Notes on filtergraph escaping").

    >>> print(filter_chain(["select=gte(pts,5)", "hflip"]))
    select=gte(pts\,5),hflip
    """
    return ",".join(re.sub(r"([\\'\[\],;])", r"\\\1", each) for each in filters)


PROTOCOLS = "file,pipe,fd"
"""What ffmpeg may open: never the network, whatever a file says."""

CONTAINER_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,vob,flv,live_flv,asf,ogg,mxf,nut,wtv,rm,swf,"
    "dv,gif,apng,ivf,obu,av1,h261,h263,h264,hevc,vvc,vc1,m4v,mjpeg,yuv4mpegpipe,"
    "wav,w64,mp3,aac,flac,ac3,eac3,dts,caf,aiff,au,tta,wv,ape,opus"
)
"""The containers that are read. Playlists and scripts (hls, dash, concat, image sequences) name other files: they are
not."""


def input_arguments(path: str | os.PathLike[str], *options: str) -> list[str]:
    """The arguments that make ``path`` an input of ffmpeg, with ``options`` (``-ss``, ...) in front of it.

    The name is never taken for a URL or an option, and a file that is really a playlist is refused. A file whose parts
    come when they are read (:mod:`reelproc.storage.stand_in`) is given as an address of our own on the loopback.
    """
    partial = partial_file(path)
    return [
        "-protocol_whitelist",
        PROTOCOLS if partial is None else "http,tcp",
        "-format_whitelist",
        CONTAINER_FORMATS,
        *options,
        "-i",
        file_argument(path) if partial is None else partial.url(),
    ]
