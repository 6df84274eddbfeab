"""``render_overlay`` and its variants: spotlights and texts on a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, Unpack

from reelproc.compat.calls import Call, CallOptions, app_function
from reelproc.compat.fields import FieldReader
from reelproc.compat.keys import Keys
from reelproc.compat.overlay_shapes import overlay_stages
from reelproc.compat.text_shapes import text_stages
from reelproc.jobs import RenderJob
from reelproc.reel import Clip, Output, Reel
from reelproc.stages.base import Stage
from reelproc.timing import exact

Data = Mapping[str, Any]


def _overlaid(
    options: CallOptions,
    job_id: str,
    keys: tuple[str, str, str],
    highlight_regions: Sequence[Data],
    effect_type: str,
    overlay_settings: Data | None,
    text_layers: Sequence[Data] | None,
    keyframe_fps: float,
    chunks: int | Literal["auto"] = 1,
) -> Call:
    """Return the call; ``keys`` are user_id, input_key and output_key."""
    stages: list[Stage] = [
        *overlay_stages(
            FieldReader(highlight_regions, ("highlight_regions",)),
            FieldReader(overlay_settings, ("overlay_settings",)),
            FieldReader(effect_type, ("effect_type",)),
            fps=Fraction(exact(FieldReader(keyframe_fps, ("keyframe_fps",)).number(above=0))),
        ),
        *text_stages(FieldReader(text_layers, ("text_layers",))),
    ]
    user_id, input_key, output_key = keys
    place = Keys(options.get("root"))
    clip = Clip(source=place.source(user_id, input_key), stages=stages)
    reel = Reel(clips=[clip], output=Output(width=None, height=None, fps=None))
    return Call(RenderJob(reel=reel, output=place.output(user_id, output_key), chunks=chunks), place, job_id)


@app_function(preset="modal-t4", timeout_seconds=600)
def render_overlay(
    job_id: str,
    user_id: str,
    input_key: str,
    output_key: str,
    highlight_regions: Sequence[Data],
    effect_type: str = "dark_overlay",
    overlay_settings: Data | None = None,
    text_layers: Sequence[Data] | None = None,
    *,
    keyframe_fps: float = 30,
    **options: Unpack[CallOptions],
) -> Call:
    """Draw spotlights and texts on a video, which keeps its size, its frames and their timestamps.

    What nothing is drawn on is copied bit for bit where the source allows it.

    Args:
        job_id: a name for the call; the same call under the same name is done once.
        user_id: whose keys they are.
        input_key, output_key: the video, and where the result goes.
        highlight_regions: in any of the forms in which the app has stored them.
        effect_type: ``"dark_overlay"``, ``"brightness_boost"`` or ``"original"``.
        overlay_settings: of the app's later version: shape, ring, tint, dimming, colour.
        text_layers: of the app's later version.
        keyframe_fps: of keyframes that say a frame and no time.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    keys = user_id, input_key, output_key
    return _overlaid(options, job_id, keys, highlight_regions, effect_type, overlay_settings, text_layers, keyframe_fps)


render_overlay_cpu = render_overlay.variant("render_overlay_cpu", preset="modal-cpu")


@app_function(preset="modal-t4", timeout_seconds=600)
def render_overlay_parallel(
    job_id: str,
    user_id: str,
    input_key: str,
    output_key: str,
    highlight_regions: Sequence[Data],
    effect_type: str = "dark_overlay",
    overlay_settings: Data | None = None,
    text_layers: Sequence[Data] | None = None,
    *,
    num_chunks: int | Literal["auto"] = 4,
    keyframe_fps: float = 30,
    **options: Unpack[CallOptions],
) -> Call:
    """:func:`render_overlay`, divided among workers; the frames are the same.

    Args:
        job_id, user_id, input_key, output_key: as there.
        highlight_regions, effect_type, overlay_settings, text_layers, keyframe_fps: as there.
        num_chunks: into how many parts at most; ``"auto"``: as many as are likely to pay.
        **options: see :class:`~reelproc.compat.calls.CallOptions`.
    """
    chunks = num_chunks if num_chunks == "auto" else FieldReader(num_chunks, ("num_chunks",)).whole(least=1, most=100)
    keys = user_id, input_key, output_key
    return _overlaid(
        options, job_id, keys, highlight_regions, effect_type, overlay_settings, text_layers, keyframe_fps, chunks
    )
