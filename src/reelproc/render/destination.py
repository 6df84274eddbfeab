"""A video file that is to be made: where, and in which container."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from reelproc.errors import SpecError
from reelproc.media.container.containers import create_container
from reelproc.storage import local_output

if TYPE_CHECKING:
    from av.container import OutputContainer

CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""File endings that a result may have, and the container that each means."""

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
"""File endings of pictures, for which a message names the command that makes one."""


def check_container(path: Path) -> None:
    """Raise unless the ending of ``path`` names a container that reelproc writes.

    Raises:
        SpecError: it does not.
    """
    ending = path.suffix.lower()
    if ending in CONTAINERS:
        return
    needed = f"the output {path.name!r} must end in one of {', '.join(CONTAINERS)}"
    if ending in PICTURES:
        needed += f": this makes a video; 'reelproc still WHAT {path.name}' or rp.preview makes a picture"
    raise SpecError(needed, path=("output",))


@dataclass(frozen=True, slots=True)
class Destination:
    """A video file that is to be made.

    Attributes:
        path: where; its ending names the container.
    """

    path: Path

    @classmethod
    def at(cls, address: str) -> Self:
        """Return the local file that ``address`` names.

        Raises:
            SpecError: its ending names no container that reelproc writes.
            StorageError: nothing can be written there.
        """
        path = local_output(address)
        check_container(path)
        return cls(path)

    @property
    def container(self) -> str:
        """``"mp4"``, ``"mov"`` or ``"matroska"``."""
        return CONTAINERS[self.path.suffix.lower()]

    @property
    def has_edit_list(self) -> bool:
        """Whether the file can hide packets and say exactly where its sound begins; Matroska cannot."""
        return self.container != "matroska"

    def create(self, partial: Path) -> AbstractContextManager[OutputContainer]:
        """Begin the file at ``partial``, from where it is renamed when it is whole."""
        from reelproc.media.sound.sound_file import MOVIE_TIMESCALE

        # an edit list counts in the movie's time scale; in the usual milliseconds the sound's end is off by half of one
        flags = {"movflags": "+faststart", "movie_timescale": str(MOVIE_TIMESCALE)} if self.has_edit_list else {}
        return create_container(partial, self.container, flags)
