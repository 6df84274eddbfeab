"""A job's events as the app's progress: 0 to 100, a phase, a message."""

from __future__ import annotations

from typing import Any

from reelproc.results import Progress

_PERCENT_SPANS = {
    "queued": (0, 0),
    "startup": (0, 0),
    "download": (0, 10),
    "probe": (10, 12),
    "load": (12, 15),
    "detect": (15, 98),
    "copy": (12, 95),
    "render": (12, 88),
    "audio": (88, 92),
    "assemble": (92, 94),
    "upload": (94, 99),
    "done": (100, 100),
}
"""From which per cent to which a phase goes. What a job leaves out, it leaps over."""

_MESSAGES = {
    "queued": "Waiting for a worker",
    "startup": "Starting",
    "download": "Fetching the footage",
    "probe": "Looking at the footage",
    "load": "Loading the model",
    "detect": "Looking for players",
    "copy": "Copying",
    "render": "Rendering",
    "audio": "Mixing the sound",
    "assemble": "Putting it together",
    "upload": "Uploading the result",
    "done": "Done",
}


class ProgressMeter:
    """Turns the events of one job, in their order, into progress that never goes back.

    >>> meter = ProgressMeter()
    >>> meter.message(Progress(phase="render", done=90, total=180))
    {'progress': 50.0, 'phase': 'render', 'message': 'Rendering: 90 of 180 frames', 'current': 90, 'total': 180}
    >>> meter.message(Progress(phase="probe"))["progress"]
    50.0
    """

    def __init__(self) -> None:
        self._reached = 0.0

    def message(self, event: Progress) -> dict[str, Any]:
        """Return ``{progress, phase, message, current, total}``: progress in per cent, ``total`` 0 if unknown."""
        low, high = _PERCENT_SPANS.get(event.phase, (self._reached, self._reached))
        self._reached = max(self._reached, round(low + (high - low) * event.fraction, 1))
        words = _MESSAGES.get(event.phase, event.message or event.phase)
        if event.phase in ("render", "detect") and event.total:
            words = f"{words}: {event.done} of {event.total} frames"
        return {
            "progress": self._reached,
            "phase": event.phase,
            "message": words,
            "current": event.done,
            "total": event.total,
        }
