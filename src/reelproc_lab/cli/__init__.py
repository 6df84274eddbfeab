"""Commands of the laboratory, as the entry points of the group ``reelproc.commands`` name them."""

from __future__ import annotations

from reelproc.cli.commands import CommandEntry

__all__ = ["COSTS", "EXPERIMENT", "SIMULATE"]

_GROUP = "Experiments"

COSTS = CommandEntry(
    "reelproc_lab.cli.costs:costs", "Print what typical jobs cost, and where.", "Where to run it, and what it costs"
)
EXPERIMENT = CommandEntry("reelproc_lab.cli.experiment:experiment", "Ask what time and cost depend on.", _GROUP)
SIMULATE = CommandEntry("reelproc_lab.cli.simulate:simulate", "Work out what cannot be measured here.", _GROUP)
