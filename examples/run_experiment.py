"""Run an experiment about time and cost, and print what it decides.

    python examples/run_experiment.py NAME [FOOTAGE]

``NAME`` is ``e1`` to ``e9``; ``reelproc experiment`` lists what each asks. Without footage a match is drawn.
The command ``reelproc experiment NAME --footage FOOTAGE`` does the same and has more options. Results are in
``experiments/NAME``.
"""

from __future__ import annotations

import argparse

import reelproc_lab as lab
from reelproc_lab.report import write_report


def main() -> None:
    """Run it once, and write its reports."""
    parser = argparse.ArgumentParser(description="Run an experiment.")
    parser.add_argument("name", choices=lab.EXPERIMENTS.names())
    parser.add_argument("footage", nargs="?")
    options = parser.parse_args()
    outcome = lab.run(options.name, "experiments", lab.Settings(footage=options.footage, repeats=1))
    for decision in outcome.decisions:
        print(f"{decision.case}: {decision.chosen or decision.status}; {decision.reason}")
    for path in write_report(outcome, f"experiments/{options.name}"):
        print(path)


if __name__ == "__main__":
    main()
