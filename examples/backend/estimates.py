"""Time and cost of an export on each executor before anybody clicks: :func:`reelproc.estimate`, for the page."""

from __future__ import annotations

from typing import Any

import reelproc as rp

__all__ = ["estimates"]

_NAMES = {"local": "This server", "modal-cpu": "Modal, cores", "modal-t4": "Modal T4", "modal-l4": "Modal L4"}


def estimates(job: rp.RenderJob, executor: str) -> dict[str, Any]:
    """One row for each executor, and which of them is recommended, and why.

    Workers of this server stay warm between exports, rented containers are taken to start for this one.

    Args:
        job: the export.
        executor: what this server renders on.

    Raises:
        ReelprocError: the job is not possible.
    """
    estimate = rp.estimate(job, tuple(_NAMES), chunks=(1,))
    options = [
        {
            "executor": name,
            "name": _NAMES[name],
            "start": option.start,
            "seconds": round(option.wall_seconds, 2),
            "low": round(option.wall_low, 2),
            "high": round(option.wall_high, 2),
            "usd": option.usd,
            "basis": option.basis,
            "why": option.why,
            "recommended": name == estimate.recommended.executor,
        }
        for name in _NAMES
        for option in [estimate.option(name, start="warm" if name == "local" else "cold")]
    ]
    return {
        "executor": executor,
        "options": options,
        "reason": estimate.reason,
        "prices": estimate.prices,
        "warnings": list(estimate.warnings),
    }
