"""Which encoder, by time, size and measured quality?

::

    python examples/experiments/e5.py [FOOTAGE]

The same as ``reelproc experiment e5 --footage FOOTAGE``, which has more options; results are in ``experiments/e5``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e5", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e5"):
    print(path)
