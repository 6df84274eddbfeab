"""How good an encoded picture is, measured frame by frame against the frames that the encoder was given.

SSIM (Z. Wang and others, "Image quality assessment: from error visibility to structural similarity", 2004) and VMAF
(Netflix; its default model ``vmaf_v0.6.1``, of a 1080p screen) are computed by ffmpeg, over all frames. A mean hides
the worst moments, so the least frame is given too, and of VMAF the harmonic mean, which bad frames pull down most.
"""

from __future__ import annotations

import json
import os
import re
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

from reelproc import DecodeError, MediaError, SpecError, probe
from reelproc.files import scratch_folder
from reelproc.media.ffmpeg import run_ffmpeg
from reelproc.media.ffmpeg_arguments import filter_chain, input_arguments, option_value
from reelproc.media.ffmpeg_build import filters
from reelproc.schema import Schema
from reelproc.storage.source import LocalSource

_TIMEOUT = 3600.0
_SSIM = re.compile(r"^n:\d+ .*All:([0-9.]+)", re.MULTILINE)


class Quality(Schema):
    """What was measured; greater is better.

    Attributes:
        frames: compared.
        ssim_mean, ssim_least: over the frames, of luma and chroma together, 1 for the same picture.
        vmaf_mean, vmaf_harmonic_mean, vmaf_least: over the frames, 0 to 100; None: not measured.
    """

    frames: int
    ssim_mean: float
    ssim_least: float
    vmaf_mean: float | None = None
    vmaf_harmonic_mean: float | None = None
    vmaf_least: float | None = None

    @property
    def quantities(self) -> dict[str, float]:
        """What was measured, by name, for a measurement's record."""
        found = self.model_dump(exclude={"frames"})
        return {name: value for name, value in found.items() if value is not None}


def has_vmaf() -> bool:
    """Whether this ffmpeg was built with VMAF; the bundled one is."""
    return "libvmaf" in filters()


def harmonic_mean(values: Sequence[float]) -> float:
    """Of scores from 0 on, as libvmaf pools them: of each score plus 1, less 1.

    >>> round(harmonic_mean([95.0, 95.0, 0.0]), 2)
    1.94
    >>> round(harmonic_mean([90.0, 90.0]), 2)
    90.0
    """
    return len(values) / sum(1 / (value + 1) for value in values) - 1


def measure_quality(
    path: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    *,
    vmaf: bool = True,
    threads: int = 2,
    check: Callable[[], None] = lambda: None,
) -> Quality:
    """Compare two files frame by frame, the n-th with the n-th.

    Args:
        path: what was encoded.
        reference: the frames that were given to the encoder, without loss.
        vmaf: also VMAF, which takes some ten times as long as SSIM.
        threads: of VMAF.
        check: called often; raises to stop.

    Raises:
        SpecError: they differ in size, or VMAF is wanted and this ffmpeg has none.
        DecodeError: they differ in the number of their frames, or one cannot be decoded.
    """
    if vmaf and not has_vmaf():
        raise SpecError(
            "this ffmpeg was built without libvmaf; unset REELPROC_FFMPEG to use the bundled one, or vmaf=False"
        )
    one, two = probe(path).require_video(), probe(reference).require_video()
    if (one.width, one.height) != (two.width, two.height):
        raise SpecError(f"pictures of one size are compared, got {one.width}x{one.height} and {two.width}x{two.height}")
    with scratch_folder() as folder:
        ssim_log, vmaf_log = folder / "ssim.txt", folder / "vmaf.json"
        run_ffmpeg(
            [
                *input_arguments(LocalSource(path)),
                *input_arguments(LocalSource(reference)),
                *("-filter_complex", _graph(ssim_log, vmaf_log if vmaf else None, threads), "-f", "null", "-"),
            ],
            error=DecodeError,
            timeout=_TIMEOUT,
            cancelled=check,
        )
        ssim = [float(value) for value in _SSIM.findall(ssim_log.read_text())]
        scores: list[float] = []
        if vmaf:
            scores = [frame["metrics"]["vmaf"] for frame in json.loads(vmaf_log.read_text())["frames"]]
    compared = {len(ssim), len(scores)} if vmaf else {len(ssim)}
    mine, theirs = _frames(path), _frames(reference)
    if compared != {mine} or compared != {theirs}:
        raise DecodeError(
            f"the n-th frames are compared: {os.fspath(path)} has {mine}, {os.fspath(reference)} {theirs}, and "
            f"{' and '.join(map(str, sorted(compared)))} were compared"
        )
    return Quality(
        frames=len(ssim),
        ssim_mean=round(statistics.fmean(ssim), 6),
        ssim_least=min(ssim),
        vmaf_mean=round(statistics.fmean(scores), 4) if scores else None,
        vmaf_harmonic_mean=round(harmonic_mean(scores), 4) if scores else None,
        vmaf_least=round(min(scores), 4) if scores else None,
    )


def _graph(ssim_log: Path, vmaf_log: Path | None, threads: int) -> str:
    """Both inputs on one clock, compared once or twice. The reference is the second."""
    clock = filter_chain(["setpts=N/(30*TB)", "format=yuv420p"])
    ssim = filter_chain([f"ssim=stats_file={option_value(str(ssim_log))}"])
    if vmaf_log is None:
        return f"[0:v]{clock}[a];[1:v]{clock}[b];[a][b]{ssim}"
    options = f"log_fmt=json:log_path={option_value(str(vmaf_log))}:n_threads={threads}"
    return (
        f"[0:v]{clock},split[a][c];[1:v]{clock},split[b][d];"
        f"[a][b]{ssim},nullsink;[c][d]{filter_chain([f'libvmaf={options}'])}"
    )


def _frames(path: str | os.PathLike[str]) -> int:
    count = probe(path, exact=True).frame_count
    if count is None:
        raise MediaError(f"the frames of {os.fspath(path)} cannot be counted")
    return count
