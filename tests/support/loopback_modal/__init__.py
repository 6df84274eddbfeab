"""A Modal control plane on this machine, for tests: see README.md in this folder."""

from __future__ import annotations

from loopback_modal.server import LoopbackModal

__all__ = ["LoopbackModal"]
