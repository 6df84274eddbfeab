"""What the experiments work on: a match clip, its annotations, and the four scenarios, all made here.

The original's data set was 90 s of a real game, 1920x1080 at 30 frames per second, with three annotated clips. It is
not ours to publish: :func:`match_clip` draws a stand-in of the same size, rate and length, with sound, and
:func:`annotations` are the original's three. Everything here takes a real file as well.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from reelproc import (
    Clip,
    Crop,
    CropKeyframe,
    HighlightKeyframe,
    HighlightRegion,
    Output,
    Overlay,
    Reel,
    SpecError,
    Upscale,
)
from reelproc.annotations import Annotation
from reelproc.results import ProgressCallback
from reelproc.suggestions import did_you_mean

OUTPUT = Output(width=810, height=1440)
"""What the original framed to."""


def match_clip(
    folder: str | os.PathLike[str],
    seconds: float = 90.0,
    width: int = 1920,
    height: int = 1080,
    *,
    progress: ProgressCallback = lambda _: None,
) -> Path:
    """Return the stand-in for the original's footage; draw it if it is not in ``folder`` yet.

    It is the demo's match, ten seconds with a panning and zooming camera, shown forwards and backwards in turn with a
    grain of its own on every frame (see :mod:`reelproc_lab.match.footage`): real motion and noise for decoders and
    encoders, but no camera's compression behind it, and every 20 s the same pictures again. 90 s take about half a
    minute on two cores, once.

    Args:
        folder: keeps it; made if it is not there.
        seconds: of footage at 30 frames per second.
        width, height: pixels, even.
        progress: told while it is drawn.

    Returns:
        The file: H.264, stereo AAC, a key frame every 2 s.

    Raises:
        SpecError: an impossible length or size.
        EncodeError: it could not be written.
    """
    from reelproc_lab.match.footage import FOOTAGE_VERSION, film_footage

    path = Path(folder) / f"match-{seconds:g}s-{width}x{height}-v{FOOTAGE_VERSION}.mp4"
    if not path.exists():
        film_footage(path, seconds=seconds, width=width, height=height, progress=progress)
    return path


def annotations() -> tuple[Annotation, ...]:
    """Return the three clips of the original's test set."""
    return (
        Annotation(start_time=3, rating=4, tags=("Control", "Pass"), clip_name="Great Control Pass", clip_duration=6.0),
        Annotation(start_time=13, rating=4, tags=("Dribble",), clip_name="Full Effort Play", clip_duration=6.0),
        Annotation(start_time=59, rating=4, tags=("Pass",), clip_name="Good Pass", clip_duration=4.5),
    )


def crop(height: int = 1080) -> Crop:
    """Return the original's crop, 540x960 at (400, 0) of a frame 1080 high, for 16:9 frames ``height`` high."""
    scale = height / 1080
    return Crop(keyframes=[CropKeyframe(time=0, x=400 * scale, y=0, width=540 * scale, height=960 * scale)])


def spotlight(start: float, end: float, *, width: int = 540, height: int = 960) -> Overlay:
    """Return the original's highlight from ``start`` to ``end``: a dimming of 0.15 around a moving, growing ellipse.

    Args:
        start, end: seconds of the stage's input.
        width, height: of its frames; the original's were 540x960.
    """
    x, y = width / 540, height / 960
    return Overlay(
        fade_out=0,  # the original's ended at once
        regions=[
            HighlightRegion(
                start_time=start,
                end_time=end,
                keyframes=[
                    HighlightKeyframe(time=start, x=270 * x, y=480 * y, radius_x=150 * y, radius_y=150 * y),
                    HighlightKeyframe(time=end, x=350 * x, y=500 * y, radius_x=180 * y, radius_y=180 * y),
                ],
            )
        ],
    )


@dataclass(frozen=True)
class AppCall:
    """A call of one of the original's functions, as a reel.

    Attributes:
        function: the original's name for it, as :mod:`reelproc.compat` has it.
        reel: what it makes.
        output: where to; a later call may read it.
    """

    function: str
    reel: Reel
    output: str


@dataclass(frozen=True)
class Scenario:
    """Something that users of the app do.

    Attributes:
        name: ``"S1"`` to ``"S4"``.
        title: what it is.
        reel: the whole in one job, as reelproc does it.
        calls: the same as the original's functions did it, in order.
    """

    name: str
    title: str
    reel: Reel
    calls: tuple[AppCall, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the calls."""
        return tuple(call.function for call in self.calls)


def scenario(
    name: str,
    source: str | os.PathLike[str],
    *,
    model: str = "realesr-general-x4v3",
    folder: str | os.PathLike[str] = "",
) -> Scenario:
    """One of the original's four test scenarios over ``source``, 90 s of 1920x1080.

    Args:
        name: ``"S1"``: 6 s; ``"S2"``: 30 s; ``"S3"``: the three annotated clips; ``"S4"``: ten clips of 12.5 s, which
            overlap in the source.
        source: the footage.
        model: what enlarges the crop; ``"lanczos"`` for a run without a network.
        folder: where the calls' outputs are.

    Raises:
        SpecError: there is no such scenario.
    """
    if name not in _SCENARIOS:
        raise SpecError(
            f"there is no scenario {name!r}; there are: {', '.join(_SCENARIOS)}{did_you_mean(name, _SCENARIOS)}"
        )
    title, spans, build = _SCENARIOS[name]
    return build(name, title, os.fspath(source), spans, model, os.fspath(folder))


Span = tuple[float, float]


def _framed(source: str, spans: tuple[Span, ...], model: str, *, light: bool = False) -> Reel:
    """Each span cropped and enlarged, and perhaps highlighted from its first to its fourth second."""
    width, height = OUTPUT.width or 0, OUTPUT.height or 0
    lights = (spotlight(1.0, 4.0, width=width, height=height),) if light else ()
    return Reel(
        clips=[
            Clip(source=source, start=start, end=end, stages=(crop(), Upscale(model=model), *lights))
            for start, end in spans
        ],
        output=OUTPUT,
    )


def _single(name: str, title: str, source: str, spans: tuple[Span, ...], model: str, folder: str) -> Scenario:
    framed, final = (os.path.join(folder, f"{name}-{step}.mp4") for step in ("framed", "final"))  # noqa: PTH118
    ((start, end),) = spans
    light = spotlight(1.0, 4.0, width=OUTPUT.width or 0, height=OUTPUT.height or 0)
    over = Reel(clips=[Clip(source=framed, start=0, end=end - start, stages=[light])], output=OUTPUT)
    return Scenario(
        name,
        title,
        _framed(source, spans, model, light=True),
        (
            AppCall("process_framing_ai", _framed(source, spans, model), framed),
            AppCall("render_overlay", over, final),
        ),
    )


def _many(name: str, title: str, source: str, spans: tuple[Span, ...], model: str, folder: str) -> Scenario:
    reel = _framed(source, spans, model)
    output = os.path.join(folder, f"{name}-final.mp4")  # noqa: PTH118 - an address of S3 stays one
    return Scenario(name, title, reel, (AppCall("process_multi_clip_modal", reel, output),))


_Build = Callable[[str, str, str, tuple[Span, ...], str, str], Scenario]

_SCENARIOS: dict[str, tuple[str, tuple[Span, ...], _Build]] = {
    "S1": ("a single clip of 6 s, upscaled, with a highlight", ((3.0, 9.0),), _single),
    "S2": ("a single clip of 30 s, upscaled, with a highlight", ((13.0, 43.0),), _single),
    "S3": (
        "the three annotated clips, 16.5 s, upscaled and joined",
        tuple((a.start_time, a.end_time) for a in annotations()),
        _many,
    ),
    "S4": (
        "ten clips of 12.5 s, over two minutes, upscaled and joined",
        tuple((8.5 * k, 8.5 * k + 12.5) for k in range(10)),
        _many,
    ),
}

SCENARIOS = tuple(_SCENARIOS)
"""Their names."""
