"""What does every kind of job take, and cost? The original's test jobs, measured.

::

    python examples/experiments/e1.py [FOOTAGE]

The same as ``reelproc experiment e1 --footage FOOTAGE``, which has more options; results are in ``experiments/e1``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e1", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e1"):
    print(path)
