"""Which GPU for a network, and what are the program and its switches worth?

::

    python examples/experiments/e6.py [FOOTAGE]

It needs the extra ``ai`` and the weights of a network (see ``reelproc models``). The same as ``reelproc experiment e6
--footage FOOTAGE``, which has more options; results are in ``experiments/e6``.
"""

from __future__ import annotations

import sys

import reelproc_lab as lab
from reelproc_lab.report import write_report

settings = lab.Settings(footage=sys.argv[1] if len(sys.argv) > 1 else None, repeats=1)
outcome = lab.run("e6", "experiments", settings)
for decision in outcome.decisions:
    print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
for path in write_report(outcome, "experiments/e6"):
    print(path)
