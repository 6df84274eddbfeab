"""The original's framing without a network: one ffmpeg crops by whole pixels, scales and encodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from reelproc import Crop, CropKeyframe, EncodeError, SpecError, probe
from reelproc.media.ffmpeg import run_ffmpeg
from reelproc.media.ffmpeg_arguments import filter_chain, input_arguments
from reelproc.storage.source import LocalSource, file_argument
from reelproc_lab.original_programs.encoding import ENCODE

_TIMEOUT = 3600.0


def frame_by_ffmpeg(
    source: Path,
    crop: Crop,
    path: Path,
    *,
    start: float,
    seconds: float,
    width: int,
    height: int,
    fps: Fraction,
    audio: bool,
    check: Callable[[], None],
) -> None:
    """Crop, scale and encode a span of ``source``.

    Args:
        source: a local file.
        crop: keyframes of one size.
        path: the file to make.
        start, seconds: the span.
        width, height: of the result.
        fps: of the result.
        audio: whether it has the span's sound.
        check: called often; raises to stop.

    Raises:
        SpecError: the window's size changes: the original's filter could not do that.
        EncodeError: ffmpeg failed.
    """
    sizes = {(int(k.width), int(k.height)) for k in crop.keyframes}
    if len(sizes) != 1:
        raise SpecError(f"the original's crop has keyframes of one size, got {sorted(sizes) or 'no keyframes'}")
    ((wide, tall),) = sizes
    left, top = (_moving(crop.keyframes, axis) for axis in ("x", "y"))
    chain = filter_chain([f"crop={wide}:{tall}:{left}:{top}", f"scale={width}:{height}:flags=lanczos"])
    sound = ["-an"]
    if audio and probe(source).audio is not None:
        sound = ["-c:a", "aac", "-b:a", "192k"]
    span = input_arguments(LocalSource(source), "-ss", f"{start:.6f}", "-t", f"{seconds:.6f}")
    arguments = [*span, "-vf", chain, "-r", str(fps), *ENCODE, *sound, "-movflags", "+faststart"]
    run_ffmpeg([*arguments, "-y", file_argument(path)], error=EncodeError, timeout=_TIMEOUT, cancelled=check)


def _moving(keyframes: Sequence[CropKeyframe], axis: str) -> str:
    """Return an expression in ``t`` for ffmpeg: linear between the keyframes, whole pixels, held outside."""
    values = [(k.time, float(getattr(k, axis))) for k in keyframes]
    text = f"{values[-1][1]:.3f}"
    for (t0, v0), (t1, v1) in reversed(list(zip(values, values[1:], strict=False))):
        slope = (v1 - v0) / (t1 - t0)
        text = f"if(lt(t,{t1:.6f}),{v0:.3f}+{slope:.6f}*(t-{t0:.6f}),{text})"
    first_time, first = values[0]
    return f"trunc(if(lt(t,{first_time:.6f}),{first:.3f},{text}))" if len(values) > 1 else f"{int(first)}"
