"""What the original's experiments said, to stand beside what is measured now.

From its own document (tracking table, closing tables and test results, January 2026): client wall times, one run per
cell, queueing, cold start and transfers inside.
"""

from __future__ import annotations

from typing import NamedTuple


class OriginalRow(NamedTuple):
    """A row of the original's tracking table.

    Attributes:
        title, status, result, decision: its words.
    """

    title: str
    status: str
    result: str
    decision: str


ORIGINAL: dict[str, OriginalRow] = {
    "e1": OriginalRow("Baseline measurements", "DONE", "overlay 47.6 s, AI framing 192 s (T4)", "Costs documented"),
    "e2": OriginalRow("FFmpeg frame reading", "DONE", "No bug detected", "Test framework ready"),
    "e3": OriginalRow("CPU vs GPU comparison", "DONE", "CPU overlay TIMED OUT (>10min)", "Keep overlay on GPU"),
    "e4": OriginalRow("CPU vs GPU for framing", "SKIPPED", "Framing always uses AI", "No non-AI path exists"),
    "e5": OriginalRow("NVENC vs libx264 encoding", "DEFERRED", "-", "Low priority"),
    "e6": OriginalRow("L4 vs T4 for AI upscaling", "DONE", "L4 1.67x slower, or 16 % slower", "T4 baseline is optimal"),
    "e7": OriginalRow("Parallel overlay", "DONE", "3-4x MORE expensive", "Use sequential"),
    "e8": OriginalRow("Parallel clip processing", "DEFERRED", "-", "After B1 integration"),
    "e9": OriginalRow("Single-container multi-clip", "DEFERRED", "-", "Built, not measured"),
}
"""By the experiment's name."""

ORIGINAL_PLACEMENT: dict[str, tuple[str, str]] = {
    "overlay": ("T4", "CPU times out"),
    "overlay, partly lit": ("T4", "CPU times out"),
    "framing with AI": ("T4", "L4 slower, optimizations slower"),
    "several clips": ("T4", "Single container, one model load"),
    "detect": ("T4", "YOLO requires GPU"),
    "extract": ("CPU", "FFmpeg-only"),
    "compilation": ("CPU", "FFmpeg-only"),
    "framing": ("none", "Removed as dead code"),
}
"""By kind of job: the hardware, and the reason that the original gave."""
