"""Time and cost of an export on each executor, before anybody clicks."""

from __future__ import annotations

from typing import Any

import reelproc as rp

__all__ = ["estimates"]


def estimates(job: rp.RenderJob, executor: str) -> dict[str, Any]:
    """What the page shows: one row per executor, and which is recommended, and why."""
    plan = rp.plan(job.reel)
    seconds = plan.frame_count / 30
    options = [
        {
            "executor": "local",
            "name": "This server",
            "seconds": seconds,
            "usd": 0.0,
            "basis": "predicted",
            "recommended": True,
        }
    ]
    return {"executor": executor, "options": options, "reason": "placeholder until the cost model is merged"}
