"""Remember which source frames a segment conceals, and report them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reelproc.errors import EncodeError
from reelproc.files import whole_file
from reelproc.render.plan import Plan

_MOST_TIMES = 20
"""How many times of lost frames one warning lists."""


@dataclass(frozen=True, slots=True)
class Concealment:
    """A source frame that could not be decoded and was replaced by the last good one, or frames that are faulty.

    Attributes:
        clip: the clip's place in the reel.
        seconds: the missing frame's time in the source; None where frames were decoded, but with errors.
        count: how many frames that is.
    """

    clip: int
    seconds: float | None
    count: int = 1


def notes_path(segment: Path) -> Path:
    """Return the file beside a segment that says what it conceals.

    It is written last, so that a segment with notes is whole.
    """
    return segment.with_suffix(".json")


def write_notes(segment: Path, concealed: Sequence[Concealment]) -> None:
    """Write what a segment conceals beside it, so that a resumed job still reports it.

    Raises:
        EncodeError: it cannot be written.
    """
    notes = notes_path(segment)
    try:
        with whole_file(notes) as partial:
            partial.write_text(json.dumps([asdict(c) for c in concealed]))
    except OSError as error:
        raise EncodeError(f"{notes} cannot be written: {error}") from error


def concealments(segments: Iterable[Path]) -> list[Concealment]:
    """Read what finished segments conceal, each lost frame once: two segments may show it."""
    notes = [Concealment(**item) for path in segments for item in json.loads(notes_path(path).read_text())]
    lost = {(c.clip, c.seconds): c for c in notes if c.seconds is not None}
    return [*(lost[key] for key in sorted(lost)), *(c for c in notes if c.seconds is None)]


def damage_warnings(plan: Plan, concealed: Sequence[Concealment]) -> list[str]:
    """Warn of each clip that shows repeated frames, with the lost ones' times, and of each that shows faulty ones."""
    warnings = []
    for clip in plan.clips:
        lost = [c.seconds for c in concealed if c.clip == clip.index and c.seconds is not None]
        if lost:
            times = ", ".join(f"{s:.3f}" for s in lost[:_MOST_TIMES]) + (", ..." if len(lost) > _MOST_TIMES else "")
            warnings.append(
                f"clip {clip.index}: {len(lost)} source frames of {clip.info.path} could not be decoded and show the "
                f"last good one instead, at {times} s"
            )
        faulty = sum(c.count for c in concealed if c.clip == clip.index and c.seconds is None)
        if faulty:
            warnings.append(
                f"clip {clip.index}: {clip.info.path} is damaged: at least {faulty} of its frames were decoded with "
                "errors or are missing; those after them, up to the next key frame, may show faults"
            )
    return warnings
