"""Encoders of every kind with the options that change the order of pictures, and the containers that take them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["ENCODERS", "FREQUENT", "Encoder"]


class Encoder(NamedTuple):
    """A way to encode.

    Attributes:
        options: makes the name of ffmpeg's encoder and its options; ``"two-pass"`` at the end asks for that.
        containers: what it is put into; see :mod:`fuzz.footage` for those with a dot.
        varies: it can hold frames at any times.
    """

    options: Callable[[random.Random], list[str]]
    containers: str
    varies: bool = False


def _x264(rng: random.Random) -> list[str]:
    depth = rng.choice((0, 0, 1, 2, 3, 3, 4, 7, 8, 16))
    parts = [
        f"bframes={depth}",
        f"b-adapt={rng.choice((0, 0, 1, 2))}",
        f"b-pyramid={rng.choice(('none', 'strict', 'normal', 'normal'))}",
        f"keyint={rng.choice((1, 5, 12, 20, 250))}",
        f"open-gop={rng.choice((0, 0, 1))}",
        f"ref={rng.choice((1, 2, 4, 8, 16))}",
    ]
    parts += rng.choice(
        ([], [], ["intra-refresh=1", "open-gop=0"], ["scenecut=0"], ["aud=1"], ["slices=3"], ["nal-hrd=vbr"])
    )
    parts += rng.choice(([], [], ["force-cfr=1"], ["pic-struct=1"], ["bluray-compat=1"]))
    rate = ["-maxrate", "900k", "-bufsize", "900k"] if "nal-hrd=vbr" in parts else []
    return ["libx264", "-preset", "veryfast", "-crf", "18", *rate, "-x264-params", ":".join([*parts, "threads=1"])]


def _x265(rng: random.Random) -> list[str]:
    parts = [
        f"bframes={rng.choice((0, 1, 3, 4, 8, 16))}",
        f"b-adapt={rng.choice((0, 0, 2))}",
        f"b-pyramid={rng.choice((0, 1, 1))}",
        f"keyint={rng.choice((1, 5, 12, 20, 250))}",
        f"open-gop={rng.choice((0, 1))}",
        f"ref={rng.choice((1, 3, 5))}",
        "log-level=none",
        "pools=1",
        "rc-lookahead=20",
    ]
    parts += rng.choice(([], [], ["repeat-headers=1"], ["aud=1"], ["wpp=0"]))
    return ["libx265", "-preset", "ultrafast", "-crf", "16", "-x265-params", ":".join(parts)]


def _plain(name: str, *options: str, most_b: int = 0) -> Callable[[random.Random], list[str]]:
    def made(rng: random.Random) -> list[str]:
        depth = ["-bf", str(rng.choice((0, 1, most_b)))] if most_b else []
        return [name, "-q:v", "3", "-g", str(rng.choice((1, 5, 12, 40))), *depth, *options]

    return made


def _vpx(name: str) -> Callable[[random.Random], list[str]]:
    def made(rng: random.Random) -> list[str]:
        options = ["-deadline", "good", "-cpu-used", "5", "-b:v", "300k", "-g", str(rng.choice((5, 20, 128)))]
        options += ["-auto-alt-ref", str(rng.choice((0, 1, 1, 6 if name != "libvpx" else 1))), "-lag-in-frames"]
        options += [str(rng.choice((0, 12, 25))), "-threads", "1"]
        options += rng.choice(([], [], ["-error-resilient", "1"]))
        return [name, *options, "two-pass"] if rng.random() < 0.7 else [name, *options]

    return made


def _av1(rng: random.Random) -> list[str]:
    if rng.random() < 0.5:
        preset = ["-preset", "12", "-crf", "30", "-g", str(rng.choice((10, 30, 100)))]
        return ["libsvtav1", *preset, "-svtav1-params", f"pred-struct={rng.choice((1, 2))}:lp=1"]
    options = ["-cpu-used", "8", "-crf", "25", "-g", str(rng.choice((10, 30))), "-lag-in-frames"]
    return ["libaom-av1", *options, str(rng.choice((0, 19, 35))), "-auto-alt-ref", "1", "-threads", "1"]


_ISO = "mp4 mp4 mov m4v frag.mp4 empty.mp4 every.mp4 cmaf.mp4"
ENCODERS = {
    "h264": Encoder(_x264, f"{_ISO} mkv mkv ts ts m2ts flv avi mpg 3gp nut", varies=True),
    "hevc": Encoder(_x265, f"{_ISO} mkv ts m2ts flv nut", varies=True),
    "mpeg4": Encoder(_plain("mpeg4", most_b=2), "mp4 mov mkv avi ts 3gp nut frag.mp4"),
    "xvid": Encoder(_plain("libxvid", most_b=2), "avi mp4 mkv"),
    "mpeg2": Encoder(_plain("mpeg2video", most_b=2), "mpg vob ts m2ts mkv mp4 mov avi mxf nut"),
    "mpeg1": Encoder(_plain("mpeg1video", most_b=2), "mpg mkv avi mp4 ts"),
    "h263": Encoder(_plain("h263"), "3gp avi mov mkv"),
    "h263p": Encoder(_plain("h263p"), "avi mov mkv"),
    "flv1": Encoder(_plain("flv"), "flv avi mkv"),
    "mjpeg": Encoder(_plain("mjpeg", "-strict", "-1"), "avi mov mkv mp4 nut", varies=True),
    "vp8": Encoder(_vpx("libvpx"), "webm webm mkv avi ogv ivf nut", varies=True),
    "vp9": Encoder(_vpx("libvpx-vp9"), "webm webm mkv mp4 frag.mp4 ivf split.mkv split.webm", varies=True),
    "av1": Encoder(_av1, "mp4 mp4 webm mkv frag.mp4 ivf split.mkv flv avi", varies=True),
    "theora": Encoder(_plain("libtheora"), "ogv mkv"),
    "ffv1": Encoder(_plain("ffv1"), "mkv avi nut mov", varies=True),
    "prores": Encoder(_plain("prores_ks"), "mov mkv mxf", varies=True),
    "huffyuv": Encoder(_plain("ffvhuff"), "avi mkv"),
    "utvideo": Encoder(_plain("utvideo"), "avi mkv mov"),
    "wmv2": Encoder(_plain("wmv2"), "wmv avi"),
    "msmpeg4": Encoder(_plain("msmpeg4"), "avi wmv mkv"),
    "png": Encoder(_plain("png"), "mov mkv avi", varies=True),
    "raw": Encoder(_plain("rawvideo"), "avi mov mkv nut", varies=True),
    "svq1": Encoder(_plain("svq1"), "mov"),
    "cinepak": Encoder(_plain("cinepak"), "avi mov"),
    "qtrle": Encoder(_plain("qtrle"), "mov"),
    "jpeg2000": Encoder(_plain("jpeg2000"), "mov mkv mxf avi"),
    "gif": Encoder(lambda _: ["gif"], "gif"),
    "apng": Encoder(lambda _: ["apng"], "apng"),
    "flashsv": Encoder(_plain("flashsv"), "flv"),
}
FREQUENT = ("h264",) * 22 + ("hevc",) * 9 + ("mpeg4", "mpeg2", "vp8", "vp9", "av1") * 5
