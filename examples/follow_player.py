"""Follow a player: a crop that moves with him, slow motion, a spotlight, and a banner.

    python examples/follow_player.py [game.mp4] [--out followed.mp4]

``PATH`` says where the player is, in fractions of the frame. It was made for the drawn match, which is used where no
file is given; for your own footage, write your own. One table drives both the crop and the spotlight: the ``Overlay``
comes before the ``Crop``, so both speak in pixels of the source and in seconds since the start of the clip.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP

START, END = 7.0, 9.5
PATH = [  # seconds since START; the player's middle and height, as fractions of the frame
    (0.0, 0.511, 0.408, 0.105),
    (0.5, 0.538, 0.407, 0.104),
    (1.0, 0.558, 0.411, 0.108),
    (1.5, 0.560, 0.416, 0.122),
    (2.0, 0.567, 0.460, 0.132),
    (2.5, 0.582, 0.496, 0.148),
]
PLAYERS_HIGH = 6.5
"""The crop is this many players high."""


def build(source: Path) -> rp.Reel:
    """Return a reel of one clip, in which everything follows ``PATH``."""
    video = rp.probe(source).require_video()
    windows, spots = [], []
    for time, x, y, tall in PATH:
        middle_x, middle_y, size = x * video.width, y * video.height, tall * video.height
        height = PLAYERS_HIGH * size
        width = height * 9 / 16
        windows.append(
            rp.CropKeyframe(time=time, x=middle_x - width / 2, y=middle_y - height / 2, width=width, height=height)
        )
        spots.append(
            rp.HighlightKeyframe(
                time=time, x=middle_x, y=middle_y, radius_x=0.55 * size, radius_y=0.75 * size, opacity=0.4
            )
        )
    spotlight = rp.HighlightRegion(start_time=0.3, end_time=2.0, keyframes=tuple(spots))
    clip = rp.Clip(
        source=str(source),
        start=START,
        end=END,
        stages=[
            rp.Overlay(regions=(spotlight,), stroke_width=2, color="#facc15"),
            rp.Crop(keyframes=tuple(windows), interpolation="catmull-rom"),
            rp.Speed(segments=[rp.SpeedSegment(start=0.5, end=1.5, speed=0.5)]),
            rp.Upscale(model="lanczos"),
            rp.Banner(rating=5, name="Alone to the goal", tags=("Dribble", "Goal")),
        ],
    )
    return rp.Reel(clips=[clip], output=rp.Output(width=810, height=1440))


def main() -> None:
    """Render it, and say how far it is."""
    parser = argparse.ArgumentParser(description="Follow a player through footage.")
    parser.add_argument("source", nargs="?", type=Path)
    parser.add_argument("--out", default="followed.mp4")
    options = parser.parse_args()
    source: Path = options.source or MATCH_CLIP
    with rp.executor("local") as ex:
        handle = ex.submit(rp.RenderJob(reel=build(source), output=options.out))
        for event in handle.events():
            print(f"{event.phase:>8} {event.fraction:4.0%} {event.message}")
        result = handle.result()
    print(f"{result.output}: {result.frame_count} frames, {result.duration_seconds:.2f} s")


if __name__ == "__main__":
    main()
