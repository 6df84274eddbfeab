"""Are the clips of a reel better made in parallel, or in sequence?

::

    python examples/experiments/e8.py [FOOTAGE]

The same as ``reelproc experiment e8 --footage FOOTAGE``, which has more options; results are in ``experiments/e8``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e8", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e8"):
    print(path)
