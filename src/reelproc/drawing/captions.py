"""Show pictures on frames, each for a time.

A picture is drawn when its first frame comes, blended inside its box alone, and forgotten when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter

from reelproc.drawing.typeset.picture import Picture
from reelproc.pixels.blend import Sprite
from reelproc.pixels.frame import Frame, PixelFormat


@dataclass(frozen=True, slots=True)
class Caption:
    """A picture and when it is shown.

    Attributes:
        start, end: seconds, half-open.
        fade_out: seconds before ``end`` over which it goes.
        picture: draws it.
    """

    start: float
    end: float
    fade_out: float
    picture: Callable[[], Picture]


class Captions:
    """Shows captions on frames, in place.

    Args:
        captions: the later ones on top.
        duration: of the stream, seconds.
        pix_fmt: of its frames, planar.
    """

    def __init__(self, captions: Sequence[Caption], *, duration: Fraction, pix_fmt: PixelFormat) -> None:
        self._captions = tuple(captions)
        # A frame that lies a little after the stream's end belongs to its last moment, not to none.
        self._last = nextafter(float(duration), -inf)
        self._pix_fmt = pix_fmt
        self._sprites: dict[int, Sprite] = {}

    def __call__(self, frame: Frame, time: float) -> Frame:
        """Draw on ``frame`` the captions that are shown at ``time`` (seconds), and return it."""
        time = max(min(time, self._last), 0.0)
        planes = None
        for i, caption in enumerate(self._captions):
            if not caption.start <= time < caption.end:
                self._sprites.pop(i, None)
                continue
            strength = min((caption.end - time) / caption.fade_out, 1.0) if caption.fade_out else 1.0
            if i not in self._sprites:
                picture = caption.picture()
                self._sprites[i] = Sprite.from_rgba(picture.rgba, x=picture.x, y=picture.y, pix_fmt=self._pix_fmt)
            planes = planes or frame.planes
            self._sprites[i].draw(planes, strength)
        return frame
