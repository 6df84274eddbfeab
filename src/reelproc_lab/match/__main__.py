"""Draw the match into a clip, with a JSON file beside it that says where its hero and the ball are.

    python -m reelproc_lab.match OUT.mp4 [--seed N]

``src/reelproc/demo/`` holds what it makes with seed 0. It takes a minute or two.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from reelproc.media.write.encoders import EncoderSettings
from reelproc_lab.match.film import Match, film

SMALL = EncoderSettings(preset="medium", crf=26.3, threads=2)
"""Makes a file below 4 MB of the match, as it is shipped with reelproc."""


def main() -> None:
    """Draw the match that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m reelproc_lab.match", description="Draw the match.")
    parser.add_argument("out", type=Path, metavar="OUT.mp4")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of kits, faces, crowd and formation")
    options = parser.parse_args()
    match = Match(seed=options.seed)
    film(match, options.out, settings=SMALL)
    options.out.with_suffix(".json").write_text(match.tracks.model_dump_json() + "\n")


if __name__ == "__main__":
    main()
