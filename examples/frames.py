"""Read frames exactly: every timestamp as the file holds it, and one frame as a picture.

    python examples/frames.py [game.mp4] [--start 2.5] [--count 10] [--out frame.png]

prints the first frames from ``--start`` on and writes the first of them as a PNG. No frame is doubled or dropped, and
none is skipped in silence: what cannot be decoded is listed at the end.
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

from PIL import Image

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP


def main() -> None:
    """Print and save."""
    parser = argparse.ArgumentParser(description="Read the frames of a video exactly.")
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--start", type=float, default=0.0, help="seconds")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--out", default="frame.png")
    options = parser.parse_args()
    source: Path = options.source or MATCH_CLIP

    with rp.open_video(source, pix_fmt="rgb24", start=options.start) as video:
        print(f"{video.width}x{video.height}, time base {video.info.require_video().time_base}")
        for number, frame in enumerate(islice(video, options.count)):
            print(f"pts {frame.pts:>8}   {frame.time:.6f} s")
            if number == 0:
                Image.fromarray(frame.image).save(options.out)
        for damage in video.damage:
            print(f"pts {damage.pts}: {damage.reason}")


if __name__ == "__main__":
    main()
