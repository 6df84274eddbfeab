"""What the regression tests of the app's past bugs share: jobs done in this process, and a look at their results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

import reelproc as rp
from media_factory import read_number
from reelproc.compat import AppFunction
from reelproc.compat.calls import failure_data
from reelproc.jobs import run_job

USER = "u1"


def done(function: AppFunction[Any], root: Path | str, *arguments: Any, **options: Any) -> dict[str, Any]:
    """What one of the app's functions gives, its job done here and now."""
    call = function.translate(*arguments, root=root, **options)
    try:
        return call.result(run_job(call.job))
    except rp.ReelprocError as error:
        return failure_data(error)


def numbers(path: Path) -> list[int]:
    """The numbers that the frames of a file show."""
    with rp.open_video(path) as video:
        return [read_number(frame) for frame in video]


def sound(path: Path) -> NDArray[np.float32]:
    """The sound of a file at 48 kHz, (samples, 1), as any decoder hears it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
    with av.open(str(path)) as container:
        parts = [part.to_ndarray().ravel() for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts).astype(np.float32)[:, None]


def placed(root: Path, name: str, make: Callable[[Path], object]) -> Path:
    """Have ``make`` make the user's file ``name``."""
    path = root / USER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    return path
