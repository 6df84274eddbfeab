"""Small good files of every kind: encoder, container, order of pictures, clocks, edits, starts, marks of key frames.

A file is made by its number, step by step: encoded, copied with another clock or start or beginning, and retouched.
Every picture shows its number (see :mod:`media_factory`), in grey, so that no conversion of colours changes it.
"""

from __future__ import annotations

import random
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fuzz import retouch
from fuzz.encodings import ENCODERS, FREQUENT
from media_factory import draw, run_ffmpeg

__all__ = ["Footage", "make_footage"]

WIDTH, HEIGHT = 96, 64
MOST_FRAMES = 60
RATES = (24, 25, 30, 50, 60, 12, 15, 10, 120, 48, 8, *(Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)))


class Footage(NamedTuple):
    """A file.

    Attributes:
        path: the file.
        steps: how it was made, one word or two each.
        rate: frames per second; None: no constant one.
        is_whole: nothing was taken away, and all that is there is meant to be shown.
        counts_times: it holds no times at which pictures are shown.
        beyond: what no plain loop of ffmpeg follows; empty: nothing.
    """

    path: Path
    steps: tuple[str, ...]
    rate: Fraction | None
    is_whole: bool
    counts_times: bool
    beyond: str


_FLAGS = {
    "frag": "frag_keyframe+empty_moov+default_base_moof",
    "empty": "frag_keyframe+delay_moov",
    "every": "frag_every_frame+empty_moov",
    "cmaf": "cmaf+frag_keyframe+delay_moov",
}
_MUXERS = {"m4v": "mp4", "m2ts": "mpegts", "ogv": "ogg", "apng": "apng"}
_CLOCKS = (
    600,
    1200,
    90_000,
    180_000,
    1000,
    48,
    25,
    50,
    30,
    60,
    24,
    120,
    240,
    "60000/1001",
    "48000/1001",
    10_000_000,
    15,
    1,
    2,
)
_MUTE = ("qtrle", "svq1", "cinepak")
"""Codecs of which nobody but a decoder can tell whether a picture is a key frame: what is marked is believed."""
_STARTS = ("0.04", "1.4", "10", "100.123", "3600", "40000", "95443", "95443.5", "95000")
_SHIFTS = {
    "drop": "select='mod(n\\,5)-3'",
    "half": "setpts='if(lt(N,15),N,2*N-15)/{rate}/TB'",
    "hole": "setpts='(N+if(gt(N,12),{rate}*2,0))/{rate}/TB'",
    "jitter": "setpts='(N+0.3*mod(N*7,3)/2)/{rate}/TB'",
    "uneven": "setpts='(N+0.5*mod(N,2))/{rate}/TB'",
    "sparse": "setpts='N/2/TB'",
}


def make_footage(folder: Path, number: int, cache: Path) -> Footage:
    """Make the file with this number.

    Args:
        folder: where.
        number: of the case.
        cache: where the drawn pictures are kept.
    """
    return _Maker(folder, number, cache).make()


class _Maker:
    def __init__(self, folder: Path, number: int, cache: Path) -> None:
        self._rng = random.Random(f"loop.{number}")
        self._folder = folder
        self._cache = cache
        self._codec = self._rng.choice((*FREQUENT, *ENCODERS))
        self._container = self._rng.choice(ENCODERS[self._codec].containers.split())
        self._count = self._rng.randint(15, MOST_FRAMES)
        self._rate = Fraction(self._rng.choice((*RATES, 30, 25, 30, 25)))
        if self._container == "mxf":
            self._rate = Fraction(self._rng.choice((25, 50, Fraction(30000, 1001))))
        self._constant = True
        self._whole = True
        self._beyond = ""
        self._steps: list[str] = []

    @property
    def _suffix(self) -> str:
        return self._container.rpartition(".")[2]

    def make(self) -> Footage:
        self._steps += [self._codec, self._container]
        path = self._encoded()
        path = self._copied(path)
        path = self._with_pictureless(path)
        self._retouch(path)
        for other in self._folder.iterdir():
            if other != path:
                other.unlink()
        counted = self._suffix == "avi" and self._codec in ("h264", "mpeg4", "xvid", "mpeg1", "mpeg2")
        rate = self._rate if self._constant else None
        return Footage(path, tuple(self._steps), rate, self._whole, counted, self._beyond)

    def _encoded(self) -> Path:
        spec = ENCODERS[self._codec]
        options = spec.options(self._rng)
        filters = []
        base: list[str] = []
        if (
            spec.varies
            and self._suffix in ("mp4", "mov", "m4v", "mkv", "webm", "ts", "m2ts", "flv", "nut")
            and self._rng.random() < 0.2
        ):
            name = self._rng.choice(sorted(_SHIFTS))
            filters = ["settb=1/90000", _SHIFTS[name].format(rate=float(self._rate))]
            base = ["-enc_time_base", "1:90000"]
            self._constant = False
            self._steps.append(name)
        if self._codec == "gif":
            self._constant = False  # its clock ticks a hundred times a second
            filters.append("format=pal8")
        elif self._codec in ("h263", "h263p", "svq1", "theora", "cinepak"):
            filters.append("scale=128:96")  # one of H.263's sizes
        two_pass = options[-1] == "two-pass"
        options = options[:-1] if two_pass else options
        sound = self._suffix in ("mp4", "mov", "mkv", "ts", "flv") and not filters and self._rng.random() < 0.2
        start = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(self._rate)]
        start += ["-i", str(_pictures(self._cache))]
        if sound:
            start += ["-f", "lavfi", "-t", f"{float(self._count / self._rate):.3f}", "-i", "sine=r=48000"]
            self._steps.append("sound")
        start += ["-map", "0:v", "-frames:v", str(self._count)]
        start += ["-vf", ",".join(filters)] if filters else []
        start += [*base, "-fps_mode", "passthrough", "-c:v", *options]
        path = self._folder / f"encoded.{self._suffix}"
        if two_pass:
            log = ["-passlogfile", str(self._folder / "pass")]
            run_ffmpeg(*start, *log, "-pass", "1", "-f", "null", "-")
            start += [*log, "-pass", "2"]
        run_ffmpeg(*start, *(("-map", "1:a", "-c:a", "aac") if sound else ()), *self._muxing(), str(path))
        kept = [word for word in options if "=" in word] or [w for w in options[1:] if not w.startswith("-")][:4]
        self._steps.append(" ".join(kept)[:150])
        return path

    def _muxing(self) -> list[str]:
        kind, _, suffix = self._container.rpartition(".")
        options = ["-movflags", _FLAGS[kind]] if kind in _FLAGS else []
        options += ["-fflags", "-autobsf"] if kind == "split" else []
        options += ["-mpegts_m2ts_mode", "1"] if suffix == "m2ts" else []
        options += ["-strict", "-2"] if self._codec in ("av1", "h263p", "png", "raw") else []
        options += ["-tag:v", "hvc1"] if self._codec == "hevc" and suffix in ("mp4", "mov", "m4v") else []
        return [*options, *(("-f", _MUXERS[suffix]) if suffix in _MUXERS else ())]

    def _copied(self, path: Path) -> Path:
        """The packets as they are, but for what filters of the bitstream do; often nothing."""
        rng = self._rng
        before: list[str] = []
        filters: list[str] = []
        options: list[str] = []
        if self._codec in ("h264", "hevc") and rng.random() < 0.45:
            tick, fixed = rng.choice(_CLOCKS), rng.choice((0, 0, 1))
            filters.append(
                f"h264_metadata=tick_rate={tick}:fixed_frame_rate_flag={fixed}"
                if self._codec == "h264"
                else f"hevc_metadata=tick_rate={tick}"
            )
            self._steps.append(f"vui {tick}" + (" fixed" if fixed else ""))
        elif self._codec == "mpeg2" and rng.random() < 0.2:
            filters.append("mpeg2_metadata=frame_rate=50")
            self._steps.append("header 50")
        elif self._codec == "av1" and rng.random() < 0.3:
            filters.append("av1_metadata=tick_rate=600:num_ticks_per_picture=1")
            self._steps.append("clock 600")
        if self._container.startswith("split"):
            filters.append({"vp9": "vp9_superframe_split", "av1": "av1_frame_split"}[self._codec])
        choice = rng.random()
        if choice < 0.12 and self._suffix != "ogv":
            at = rng.uniform(0.05, 0.8) * float(self._count / self._rate)
            before = ["-ss", f"{at:.3f}"]
            self._steps.append(f"trimmed {at:.3f}")
            self._whole = False
        elif choice < 0.2:
            lost = rng.randint(1, 9)
            filters.append(f"noise=amount=0:drop=lt(n\\,{lost})")
            options += ["-copyinkf"]
            self._steps.append(f"begins at packet {lost}")
            self._whole = False
        if rng.random() < 0.2:
            start = rng.choice(_STARTS)
            options += ["-output_ts_offset", start]
            self._steps.append(f"start {start}")
        elif rng.random() < 0.1 and self._suffix in ("mp4", "mov", "m4v", "mkv", "nut"):
            options += ["-output_ts_offset", "-0.3", "-avoid_negative_ts", "disabled"]
            self._steps.append("start -0.3")
        if self._suffix in ("mkv", "nut", "mp4", "mov", "flv", "ts") and rng.random() < 0.08:
            filters.append("setts=pts=PTS:dts=DTS:duration=0")
            self._steps.append("no lengths")
        if not (before or filters or options):
            return path
        out = path.with_name(f"copied.{self._suffix}")
        joined = ("-bsf:v", ",".join(filters)) if filters else ()
        try:
            run_ffmpeg(*before, "-i", str(path), "-c", "copy", *joined, *options, *self._muxing(), str(out))
        except subprocess.CalledProcessError:  # some filters cannot write what some encoders wrote
            self._steps.append("(could not be copied so)")
            return path
        return out

    def _with_pictureless(self, path: Path) -> Path:
        if (
            self._codec not in retouch.PICTURELESS
            or self._container not in ("mp4", "mov", "mkv")
            or self._rng.random() > 0.08
        ):
            return path
        kind = self._rng.choice(sorted(retouch.PICTURELESS[self._codec]))
        every = self._rng.choice((3, 7, 20))
        out = path.with_name(f"pictureless.{self._suffix}")
        if not retouch.with_pictureless_samples(path, out, self._codec, kind, every):
            return path
        self._steps.append(f"{kind} alone, each {every}")
        return out

    def _retouch(self, path: Path) -> None:
        rng = self._rng
        if self._codec in ("h264", "hevc") and self._suffix != "nut" and rng.random() < 0.2:
            depth = rng.choice((0, 1, 1, 2))
            if retouch.with_promised_reordering(path, self._codec, depth):
                self._steps.append(f"promises {depth}")
        data = path.read_bytes()
        is_plain = self._container in ("mp4", "mov", "m4v", "3gp")
        if is_plain and rng.random() < 0.2:
            path.write_bytes(retouch.with_edits(data, self._edits(data)))
        elif is_plain and rng.random() < 0.15 and self._codec not in _MUTE:
            name, listed = rng.choice(
                (
                    ("none listed", lambda _: []),
                    ("shifted", lambda keys: [k + 1 for k in keys]),
                    ("the first alone", lambda keys: keys[:1]),
                    ("every second", lambda keys: keys[::2]),
                )
            )
            path.write_bytes(retouch.with_sync_samples(data, listed))
            self._steps.append(f"key frames: {name}")
        elif self._suffix in ("mkv", "webm") and rng.random() < 0.12:
            everything = rng.random() < 0.5
            (retouch.all_keys if everything else retouch.no_keys)(path)
            self._steps.append(f"key frames: {'all' if everything else 'none'}")
        elif self._container == "ts" and rng.random() < 0.25:
            if rng.random() < 0.5:
                path.write_bytes(retouch.without_random_access(data))
                self._steps.append("key frames: none")
            else:
                cells = len(data) // 188
                path.write_bytes(data[188 * rng.randrange(2, max(3, cells // 2)) :])
                self._steps.append("cut in front")
                self._whole = False

    def _edits(self, data: bytes) -> list[retouch.Edit]:
        film, track = retouch.film_clock(data)
        rng = self._rng
        length = float(self._count / self._rate)
        first, second = sorted((rng.uniform(0, length), rng.uniform(0, length)))

        def edit(begin: float, end: float, rate: float = 1) -> retouch.Edit:
            shown = (end - begin) / (rate or 1)
            return retouch.Edit(max(1, round(shown * film)), round(begin * track), round(rate * 65536))

        empty = retouch.Edit(round(0.4 * film), -1)
        kinds = {
            "trim": [edit(first, second)],
            "delayed": [empty, edit(0, length)],
            "delayed trim": [empty, edit(first, length)],
            "two": [edit(0, first), edit(second, length)],
            "backwards": [edit(second, length), edit(0, first)],
            "twice": [edit(first, second), edit(first, second)],
            "to the end": [retouch.Edit(0, round(first * track))],
            "held": [edit(0, first), retouch.Edit(round(0.5 * film), round(first * track), 0), edit(first, length)],
            "half speed": [edit(0, first), edit(first, second, 0.5), edit(second, length)],
            "empty between": [edit(0, first), empty, edit(second, length)],
        }
        name = rng.choice(sorted(kinds))
        self._steps.append(f"edits: {name} {first:.3f} {second:.3f}")
        self._whole = self._whole and name in ("delayed", "empty between")
        self._constant = self._constant and name in ("trim", "delayed", "delayed trim", "to the end")
        self._beyond = name if name in ("held", "half speed", "empty between") else ""
        return kinds[name]


def _pictures(cache: Path) -> Path:
    path = cache / f"numbers.{WIDTH}x{HEIGHT}.yuv"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        grey = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8).tobytes() * 2
        path.write_bytes(b"".join(draw(n, WIDTH, HEIGHT)[0].tobytes() + grey for n in range(MOST_FRAMES)))
    return path


if __name__ == "__main__":
    import sys

    for case in map(int, sys.argv[2:]):
        where = Path(sys.argv[1]) / str(case)
        where.mkdir(parents=True, exist_ok=True)
        try:
            print(case, make_footage(where, case, Path(sys.argv[1])))
        except subprocess.CalledProcessError as error:
            print(case, "CANNOT BE MADE", error.cmd, error.stderr.decode()[-300:])
