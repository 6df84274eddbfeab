"""What the database holds: a source, an export."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Export", "Source"]


@dataclass(frozen=True)
class Source:
    """A video that exports can be made of; ``user`` is empty for a sample, which is everybody's."""

    id: str
    user: str
    name: str
    path: str
    bytes: int
    seconds: float
    width: int
    height: int
    fps: float
    sound: int
    created: float


@dataclass(frozen=True)
class Export:
    """An export, from the request on.

    Attributes:
        id: its own, and its job's for the executor.
        key: the client's name for the request, so that one sent twice is done once; None: it gave none.
        request: a hash of what was asked for under that key.
        source: the id of its (first) source.
        job: JSON of the :class:`reelproc.RenderJob`.
        frames, seconds: what was planned.
        status: ``queued``, ``running``, ``complete``, ``error`` or ``cancelled``.
        cancel: somebody wants it stopped.
        attempts: how often it was given to the executor.
        error: JSON of type, message and transient; None without one.
        result: JSON of the :class:`reelproc.RenderResult`; None before.
        created, started, ended: seconds since 1970.
    """

    id: str
    user: str
    key: str | None
    request: str
    title: str
    source: str
    job: str
    frames: int
    seconds: float
    created: float
    status: str = "queued"
    cancel: int = 0
    attempts: int = 0
    error: str | None = None
    result: str | None = None
    started: float | None = None
    ended: float | None = None

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self.status not in ("queued", "running")
