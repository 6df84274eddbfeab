"""The app's own function names, arguments and data shapes, over reelproc's reels, jobs and executors.

::

    from reelproc import compat

    compat.render_overlay(job_id="7", user_id="u1", input_key="clip.mp4", output_key="out.mp4", highlight_regions=[...])
    await compat.process_framing_ai_async(..., executor="modal", progress_callback=send)
    compat.status(call_id), compat.result(call_id), compat.cancel(call_id)

What is translated into what is in ``docs/how-to/use-in-your-backend.md``.
"""

from __future__ import annotations

from reelproc.compat.calls import AppFunction, Call, CallOptions, ProgressCallback, Result
from reelproc.compat.framing import (
    process_framing,
    process_framing_ai,
    process_framing_ai_l4,
    process_framing_ai_nvenc,
    process_multi_clip,
)
from reelproc.compat.functions import FUNCTIONS
from reelproc.compat.game_moments import (
    create_annotated_compilation,
    detect_players,
    detect_players_batch,
    extract_clip,
)
from reelproc.compat.jobs import CallStatus, cancel, cancel_async, result, result_async, status, status_async
from reelproc.compat.keys import Keys
from reelproc.compat.overlay import render_overlay, render_overlay_cpu, render_overlay_parallel
from reelproc.compat.progress import ProgressMeter
from reelproc.compat.uploads import upload_to_r2, upload_to_r2_sync

create_annotated_compilation_async = create_annotated_compilation.call_async
detect_players_async = detect_players.call_async
detect_players_batch_async = detect_players_batch.call_async
extract_clip_async = extract_clip.call_async
process_framing_ai_async = process_framing_ai.call_async
process_framing_ai_l4_async = process_framing_ai_l4.call_async
process_framing_ai_nvenc_async = process_framing_ai_nvenc.call_async
process_framing_async = process_framing.call_async
process_multi_clip_async = process_multi_clip.call_async
render_overlay_async = render_overlay.call_async
render_overlay_cpu_async = render_overlay_cpu.call_async
render_overlay_parallel_async = render_overlay_parallel.call_async

detect_players_modal, detect_players_modal_async = detect_players, detect_players_async
extract_clip_modal, extract_clip_modal_async = extract_clip, extract_clip_async
process_multi_clip_modal, process_multi_clip_modal_async = process_multi_clip, process_multi_clip_async

__all__ = [
    "FUNCTIONS",
    "AppFunction",
    "Call",
    "CallOptions",
    "CallStatus",
    "Keys",
    "ProgressCallback",
    "ProgressMeter",
    "Result",
    "cancel",
    "cancel_async",
    "create_annotated_compilation",
    "create_annotated_compilation_async",
    "detect_players",
    "detect_players_async",
    "detect_players_batch",
    "detect_players_batch_async",
    "detect_players_modal",
    "detect_players_modal_async",
    "extract_clip",
    "extract_clip_async",
    "extract_clip_modal",
    "extract_clip_modal_async",
    "process_framing",
    "process_framing_ai",
    "process_framing_ai_async",
    "process_framing_ai_l4",
    "process_framing_ai_l4_async",
    "process_framing_ai_nvenc",
    "process_framing_ai_nvenc_async",
    "process_framing_async",
    "process_multi_clip",
    "process_multi_clip_async",
    "process_multi_clip_modal",
    "process_multi_clip_modal_async",
    "render_overlay",
    "render_overlay_async",
    "render_overlay_cpu",
    "render_overlay_cpu_async",
    "render_overlay_parallel",
    "render_overlay_parallel_async",
    "result",
    "result_async",
    "status",
    "status_async",
    "upload_to_r2",
    "upload_to_r2_sync",
]
