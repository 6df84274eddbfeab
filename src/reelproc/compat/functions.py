"""The app's processing functions by the names under which the Modal app deploys them."""

from __future__ import annotations

from typing import Any

from reelproc.compat.calls import AppFunction
from reelproc.compat.framing import (
    process_framing,
    process_framing_ai,
    process_framing_ai_l4,
    process_framing_ai_nvenc,
    process_multi_clip,
)
from reelproc.compat.game_moments import (
    create_annotated_compilation,
    detect_players,
    detect_players_batch,
    extract_clip,
)
from reelproc.compat.overlay import render_overlay, render_overlay_cpu, render_overlay_parallel

FUNCTIONS: dict[str, AppFunction[Any]] = {
    function.name: function
    for function in (
        render_overlay,
        render_overlay_cpu,
        render_overlay_parallel,
        process_framing,
        process_framing_ai,
        process_framing_ai_l4,
        process_framing_ai_nvenc,
        process_multi_clip.variant("process_multi_clip_modal"),
        detect_players.variant("detect_players_modal"),
        detect_players_batch,
        extract_clip.variant("extract_clip_modal"),
        create_annotated_compilation,
    )
}
"""By name."""
