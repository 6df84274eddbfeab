"""The files of a plan's segments, each named by its content: what a former run or another worker made is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reelproc.media.ffmpeg_build import ffmpeg_version
from reelproc.media.write.encoders import EncoderSettings
from reelproc.render.concealment import Concealment, notes_path, write_notes
from reelproc.render.plan import Plan, Segment
from reelproc.render.segment_store import SegmentStore
from reelproc.storage.sources import Sources


@dataclass(frozen=True)
class SegmentFiles:
    """The files of a plan's segments.

    Attributes:
        paths: for each segment its file; None for those that are copied from the source, or are not wanted.
        store: where finished segments are kept and looked for as well; None: nowhere.
    """

    paths: tuple[Path | None, ...]
    store: SegmentStore | None = None

    @property
    def wanted(self) -> list[tuple[int, Path]]:
        """The number and the file of each segment that has one."""
        return [(number, path) for number, path in enumerate(self.paths) if path is not None]

    def has(self, segment: Path) -> bool:
        """Tell whether a segment is finished, here or in the store, from which it is fetched.

        Raises:
            StorageError: the store cannot be asked.
        """
        if segment.exists() and notes_path(segment).exists():
            return True
        return self.store is not None and self.store.fetch(segment)

    def keep(self, segment: Path, concealed: Sequence[Concealment]) -> None:
        """Note that a segment is finished, and put it into the store.

        Raises:
            EncodeError, StorageError: it cannot be written.
        """
        write_notes(segment, concealed)
        if self.store is not None:
            self.store.keep(segment)

    def forget(self) -> None:
        """Remove from the store what is not needed any more."""
        if self.store is not None:
            self.store.forget(path for _, path in self.wanted)

    def discard(self) -> None:
        """Remove the segments of this machine."""
        for _, path in self.wanted:
            path.unlink(missing_ok=True)


def segment_key(plan: Plan, segment: Segment, settings: EncoderSettings, *, sources: Sources, conceal: bool) -> str:
    """Name a segment's content: equal names are equal pictures, on every machine of one version.

    The name covers the segment's frames, the stages that make them, the sources' identity, the encoder, and the
    versions of reelproc and ffmpeg.
    """
    from reelproc import __version__

    frames = list(plan.frames(segment.first, segment.end))
    clips = sorted({f.shot.clip for f in frames} | {f.incoming.clip for f in frames if f.incoming})

    def shot(clip: int, pts: int) -> tuple[int, int]:
        return clips.index(clip), pts

    content: dict[str, Any] = {
        "reelproc": __version__,
        "ffmpeg": ffmpeg_version(),
        "encoder": settings.arguments(plan.nominal_rate),
        "size": [plan.width, plan.height],
        "rate": str(plan.nominal_rate),
        "on_damage": "conceal" if conceal else "raise",
        "clips": [
            {
                "source": sources[plan.clips[c].source].identity,
                "start": str(plan.clips[c].start),
                "stages": [s.model_dump(mode="json") for s in plan.clips[c].stages],
                "weights": [s.fingerprint() for s in plan.clips[c].stages],
                "streams": [str(s) for s in plan.clips[c].streams],
            }
            for c in clips
        ],
        "frames": [
            (
                shot(f.shot.clip, f.shot.pts),
                f.incoming and shot(f.incoming.clip, f.incoming.pts),
                str(f.weight),
                str(f.gain),
            )
            for f in frames
        ],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
