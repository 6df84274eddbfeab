"""What it costs to start: ``import reelproc`` and ``reelproc --help`` beside an empty Python.

    python benchmarks/startup.py [--rounds 15]

To reach: an import under 200 ms, the help under 400 ms.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable

from bench import paired, report

CODES = {
    "python": "pass",
    "import reelproc": "import reelproc",
    "import, then describe a reel": "import reelproc as rp; rp.Reel(clips=[rp.Clip(source='a.mp4')])",
    "reelproc --help": "import sys; sys.argv = ['reelproc', '--help']; from reelproc.cli import main; main()",
}


def started(code: str) -> Callable[[], object]:
    """Run ``code`` in a fresh Python."""
    return lambda: subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def main() -> None:
    """Run all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    pairs = paired({name: started(code) for name, code in CODES.items()}, floor="python", rounds=options.rounds)
    milliseconds = {name: round(1000 * statistics.median(runs), 1) for name, runs in pairs.seconds.items()}
    report("startup", "how long until it is there?", {"a fresh process": pairs}, {"median_milliseconds": milliseconds})


if __name__ == "__main__":
    main()
