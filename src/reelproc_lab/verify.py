"""Whether a run made what was asked for: frames, time, sound, the same picture. A fast wrong answer is none."""

from __future__ import annotations

import math
from itertools import zip_longest

from reelproc import MediaError, ReelprocError, open_video, probe
from reelproc_lab.record import Made

_SOUND_SLACK_SECONDS = 1024 / 48_000 + 0.001
"""A packet of AAC: containers give the sound's length in whole ones."""


class WrongOutput(MediaError):
    """A run made something else than it was asked for."""


def check_made(made: Made, *, reference: str = "", same_picture_db: float | None = None) -> tuple[str, ...]:
    """Verify a file.

    Args:
        made: what it must be.
        reference: a file that it must show the same picture as; empty: none.
        same_picture_db: the least PSNR of a frame's luma against it.

    Raises:
        WrongOutput: it is something else; the message says what.
    """
    try:
        info = probe(made.path, exact=True)
    except ReelprocError as error:
        raise WrongOutput(f"the output cannot be read: {error}") from error
    if info.frame_count != made.frames:
        raise WrongOutput(f"the output has {info.frame_count} frames, expected {made.frames}")
    frame_seconds = made.duration_seconds / max(1, made.frames)
    if abs(float(info.duration) - made.duration_seconds) > frame_seconds:
        raise WrongOutput(
            f"the output takes {float(info.duration):.3f} s, expected {made.duration_seconds:.3f} s within a frame"
        )
    found = [f"{made.frames} frames", f"{float(info.duration):.3f} s"]
    if made.audio:
        if info.audio is None:
            raise WrongOutput("the output has no sound, expected some")
        if info.audio.duration is not None:
            end = float(info.audio.start + info.audio.duration)
            if abs(end - made.duration_seconds) > frame_seconds + _SOUND_SLACK_SECONDS:
                raise WrongOutput(f"the sound ends at {end:.3f} s, the picture at {made.duration_seconds:.3f} s")
            found.append(f"sound ends at {end:.3f} s")
    if reference and same_picture_db is not None:
        least = least_psnr(made.path, reference)
        if least < same_picture_db:
            raise WrongOutput(
                f"a frame differs from the reference's by {least:.1f} dB (PSNR of the luma), expected at least "
                f"{same_picture_db:g}"
            )
        found.append("the same picture" if math.isinf(least) else f"the same picture within {least:.1f} dB")
    return tuple(found)


def least_psnr(path: str, reference: str) -> float:
    """Return the least PSNR of the luma, over the frames of two files; infinite where all are equal.

    Raises:
        WrongOutput: they differ in size or number of frames.
        MediaError: one cannot be read.
    """
    import numpy as np

    least = math.inf
    with open_video(path, "pyav", "yuv420p") as mine, open_video(reference, "pyav", "yuv420p") as theirs:
        for a, b in zip_longest(mine, theirs):
            if a is None or b is None or (a.width, a.height) != (b.width, b.height):
                raise WrongOutput("the output and the reference differ in size or number of frames")
            difference = a.planes[0].astype(np.int16) - b.planes[0]
            error = float(np.mean(np.square(difference, dtype=np.int32)))
            if error:
                least = min(least, 10 * math.log10(255.0**2 / error))
    return least
