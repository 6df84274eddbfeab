"""Video encoders by name: the one set of encoder defaults, and a check that an encoder works here before it is needed.

Every encoder is told to make closed groups of pictures that start with an IDR frame, so that segments can be joined
without re-encoding, and everything is tagged BT.709, limited range.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from reelproc.errors import BackendError, EncodeError, SpecError
from reelproc.media.ffmpeg import run_ffmpeg
from reelproc.media.ffmpeg_build import encoders as available_encoders
from reelproc.media.ffmpeg_build import ffmpeg_path, ffmpeg_version
from reelproc.pixels.frame import PixelFormat
from reelproc.suggestions import did_you_mean

GOP_SECONDS = 2
"""A key frame at least this often: players seek well, and a later edit re-encodes little."""

ENCODER_THREADS = 4
"""Of one encoder, wherever it runs: x264's output changes with it. On two cores four are 5 % faster than two."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """What an encode is asked for.

    Attributes:
        name: a key of :data:`ENCODERS`.
        preset: None: the encoder's default here.
        crf: constant quality on the encoder's own scale; None: its default here.
        pix_fmt: ``"yuv420p"`` or ``"yuv444p"``.
        gop_size: frames from one key frame to the next at most; None: two seconds.
        threads: pinned, since the output of x264 changes with it.
        delay: (x264) frames by which decoding may run ahead of showing; None: as the preset likes.
        parameter_set: (x264) the id of its parameter sets; None: 0.
    """

    name: str = "libx264"
    preset: str | None = None
    crf: float | None = None
    pix_fmt: PixelFormat = "yuv420p"
    gop_size: int | None = None
    threads: int = ENCODER_THREADS
    delay: int | None = None
    parameter_set: int | None = None

    @property
    def encoder(self) -> Encoder:
        """The encoder that ``name`` means.

        Raises:
            SpecError: there is none of that name.
        """
        try:
            return ENCODERS[self.name]
        except KeyError:
            known = ", ".join(sorted(ENCODERS)) + did_you_mean(self.name, ENCODERS)
            raise SpecError(f"no encoder is called {self.name!r}; there are: {known}") from None

    def arguments(self, fps: Fraction) -> list[str]:
        """ffmpeg's output options for video of ``fps`` frames per second.

        Raises:
            SpecError: no such encoder, or it knows no such preset, quality or pixel format.
        """
        encoder = self.encoder
        preset = encoder.preset if self.preset is None else self.preset
        crf = encoder.crf if self.crf is None else self.crf
        if preset not in encoder.presets:
            known = ", ".join(encoder.presets) + did_you_mean(preset, encoder.presets)
            raise SpecError(f"{self.name} has no preset {preset!r}; there are: {known}", path=("output", "preset"))
        if not 0 <= crf <= encoder.crf_max:
            raise SpecError(f"{self.name} takes a crf from 0 to {encoder.crf_max}, got {crf:g}", path=("output", "crf"))
        if self.pix_fmt not in encoder.pix_fmts:
            known = ", ".join(encoder.pix_fmts)
            raise SpecError(f"{self.name} encodes {known}, not {self.pix_fmt}", path=("output", "pix_fmt"))
        gop = self.gop_size or max(1, round(fps * GOP_SECONDS))
        return [
            *("-c:v", self.name, "-preset", preset, "-pix_fmt", self.pix_fmt, "-g", str(gop)),
            *("-threads", str(self.threads)),
            *encoder.quality(crf),
            *encoder.extra,
            *self._x264_parameters(),
        ]

    def _x264_parameters(self) -> list[str]:
        if self.name != "libx264":
            return []
        parameters = ["open-gop=0"]
        if self.parameter_set is not None:
            parameters.append(f"sps-id={self.parameter_set}")
        if self.delay is not None:  # x264's own is 0 without B frames, 1 with, 2 with a pyramid of them
            parameters.append(("bframes=0", "b-pyramid=none", "b-pyramid=normal")[min(self.delay, 2)])
        return ["-x264-params", ":".join(parameters)]


@dataclass(frozen=True, slots=True)
class Encoder:
    """How ffmpeg is told to use an encoder.

    Attributes:
        codec: what it makes: ``"h264"``, ``"hevc"``, ``"av1"``.
        preset, presets: its default here, and all it knows.
        crf, crf_max: its default quality here, and the worst on its scale.
        quality: crf to ffmpeg arguments.
        extra: arguments that it always gets.
        hardware: what it needs beside the build, for messages.
        pix_fmts: what it can encode.
    """

    codec: str
    preset: str
    presets: tuple[str, ...]
    crf: float
    crf_max: int
    quality: Callable[[float], list[str]]
    extra: tuple[str, ...] = ()
    hardware: str | None = None
    pix_fmts: tuple[str, ...] = ("yuv420p", "yuv444p")


def _crf(value: float) -> list[str]:
    return ["-crf", f"{value:g}"]


def _cq(value: float) -> list[str]:
    # NVENC's constant quality: variable rate with no rate asked for
    return ["-rc", "vbr", "-cq", f"{value:g}", "-b:v", "0"]


_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")
_NVENC = ("p1", "p2", "p3", "p4", "p5", "p6", "p7")
_NVIDIA = "an NVIDIA GPU with its driver"

ENCODERS: Mapping[str, Encoder] = MappingProxyType(
    {
        "libx264": Encoder("h264", "fast", _X26X, 23, 51, _crf, ("-flags", "+cgop")),
        "libx265": Encoder(
            "hevc", "fast", _X26X, 26, 51, _crf, ("-x265-params", "open-gop=0:log-level=error", "-tag:v", "hvc1")
        ),
        "libsvtav1": Encoder(
            "av1", "8", tuple(str(n) for n in range(14)), 32, 63, _crf, ("-svtav1-params", "irefresh-type=2"),
            pix_fmts=("yuv420p",),
        ),
        "h264_nvenc": Encoder("h264", "p4", _NVENC, 23, 51, _cq, ("-forced-idr", "1"), _NVIDIA),
        "hevc_nvenc": Encoder("hevc", "p4", _NVENC, 26, 51, _cq, ("-forced-idr", "1", "-tag:v", "hvc1"), _NVIDIA),
    }
)  # fmt: skip
"""The encoders that :attr:`Output.encoder <reelproc.Output.encoder>` can name."""


def check_encoder(settings: EncoderSettings) -> None:
    """Encode a few grey frames, once per process and setting, to see that it works on this machine.

    Raises:
        SpecError: no such encoder, preset or quality.
        BackendError: this ffmpeg was built without it, or its hardware is missing.
    """
    _check(ffmpeg_path(), settings)


@functools.cache
def _check(path: str, settings: EncoderSettings) -> None:
    arguments = settings.arguments(Fraction(30))
    name, encoder = settings.name, settings.encoder
    if name not in available_encoders():
        raise BackendError(
            f"ffmpeg {ffmpeg_version()} at {path} was built without the encoder {name!r}; "
            "unset REELPROC_FFMPEG to use the bundled ffmpeg, or choose another encoder"
        )
    source = ("-f", "lavfi", "-i", "color=gray:size=256x256:rate=30:duration=0.1")
    try:
        run_ffmpeg([*source, *arguments, "-f", "null", "-"], error=EncodeError, timeout=60)
    except EncodeError as error:
        needs = f": it needs {encoder.hardware}" if encoder.hardware else ""
        raise BackendError(
            f"the encoder {name!r} does not work on this machine{needs}; choose another, e.g. 'libx264'. {error}"
        ) from error
