"""Documents of the app, and what they are translated to; nothing is run, and nothing made on disk."""

from __future__ import annotations

from typing import Any

import reelproc as rp
from reelproc import compat
from reelproc.compat.calls import Call

ROOT = "s3://media"


def reel_of(call: Call) -> rp.Reel:
    assert isinstance(call.job, rp.RenderJob)
    return call.job.reel


def framing(**changes: Any) -> rp.Reel:
    arguments: dict[str, Any] = {"keyframes": [], "output_width": 90, "output_height": 160} | changes
    return reel_of(compat.process_framing.translate("j", "u", "in.mp4", "out.mp4", root=ROOT, **arguments))


def segmented(data: Any, **changes: Any) -> tuple[float, float | None, list[tuple[float, float, float]]]:
    """Start, end and speeds of a clip with such segment data."""
    (clip,) = framing(segment_data=data, **changes).clips
    speeds = [(s.start, s.end, s.speed) for stage in clip.stages if isinstance(stage, rp.Speed) for s in stage.segments]
    return clip.start, clip.end, speeds


def overlay(regions: Any, **changes: Any) -> rp.Overlay | None:
    call = compat.render_overlay.translate("j", "u", "in.mp4", "out.mp4", regions, root=ROOT, **changes)
    (clip,) = reel_of(call).clips
    stages = [stage for stage in clip.stages if isinstance(stage, rp.Overlay)]
    return stages[0] if stages else None


def multi(clips: list[Any], **changes: Any) -> rp.Reel:
    arguments: dict[str, Any] = {
        "source_keys": [f"{n}.mp4" for n in range(len(clips))],
        "output_key": "out.mp4",
        "transition": None,
        "target_width": 90,
        "target_height": 160,
    } | changes
    return reel_of(compat.process_multi_clip.translate("j", "u", clips_data=clips, root=ROOT, **arguments))


KEYFRAME = {"time": 1, "x": 10, "y": 20, "width": 90, "height": 160}
REGION = {"start_time": 1, "end_time": 4, "keyframes": [{"time": 1, "x": 9, "y": 8, "radiusX": 7, "radiusY": 6}]}
