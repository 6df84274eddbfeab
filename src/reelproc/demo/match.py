"""The clip that the demo works on, and where its players are: ten seconds of a drawn match.

``python -m reelproc_lab.match src/reelproc/demo/match.mp4`` draws both files again.
"""

from __future__ import annotations

from pathlib import Path

from reelproc.schema import Schema

MATCH_CLIP = Path(__file__).with_name("match.mp4")
"""The clip: H.264, 1920x1080 at 30 frames per second, 300 frames, stereo AAC sound."""


class Outline(Schema):
    """The box around a player or the ball on one frame.

    Attributes:
        time: seconds from the start of the clip.
        x, y: the box's middle, pixels.
        width, height: its size, pixels.

    >>> Outline(time=0.5, x=960, y=540, width=40, height=90).y
    540.0
    """

    time: float
    x: float
    y: float
    width: float
    height: float


class MatchTracks(Schema):
    """Where everything is that a reel of the match needs.

    Attributes:
        width, height: of the frames, pixels.
        goal_time: when the ball is in the goal, seconds.
        hero: the scorer, number 10, on every frame.
        ball: the ball on every frame.
    """

    width: int
    height: int
    goal_time: float
    hero: tuple[Outline, ...]
    ball: tuple[Outline, ...]


def match_tracks() -> MatchTracks:
    """Read what is known of :data:`MATCH_CLIP`.

    >>> match_tracks().hero[-1].time
    9.966667
    """
    return MatchTracks.model_validate_json(MATCH_CLIP.with_suffix(".json").read_text())
