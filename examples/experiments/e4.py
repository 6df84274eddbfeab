"""Is framing without a network better done on cores or beside a GPU?

::

    python examples/experiments/e4.py [FOOTAGE]

The same as ``reelproc experiment e4 --footage FOOTAGE``, which has more options; results are in ``experiments/e4``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e4", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e4"):
    print(path)
