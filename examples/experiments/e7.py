"""Into how many chunks should a render be divided?

::

    python examples/experiments/e7.py [FOOTAGE]

The same as ``reelproc experiment e7 --footage FOOTAGE``, which has more options; results are in ``experiments/e7``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e7", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e7"):
    print(path)
