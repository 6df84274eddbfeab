"""The work of ``Text`` and ``Banner``: pictures, each shown for a time.

A picture is drawn when its first frame comes, blended only inside its box, and forgotten when its time is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf, nextafter

from reelproc.pixels.blend import Sprite
from reelproc.pixels.frame import Frame, PixelFormat
from reelproc.stages.banner import Banner
from reelproc.stages.base import StreamInfo
from reelproc.stages.caption_pictures import draw_banner, draw_text
from reelproc.stages.text import Text
from reelproc.stages.typeset.picture import Picture

__all__ = ["Caption", "Captions", "banner_captions", "text_captions"]


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
        stream: pixel format and duration of the frames.
    """

    accepts_window = False

    def __init__(self, captions: Sequence[Caption], stream: StreamInfo) -> None:
        self._captions = tuple(captions)
        # A frame that lies a little behind the stream's end belongs to its last moment, not to none.
        self._last = nextafter(float(stream.duration), -inf)
        self._pix_fmt: PixelFormat = stream.pix_fmt
        self._sprites: dict[int, Sprite] = {}

    def __call__(self, frame: Frame, time: float) -> Frame:
        """``frame`` with what is to be shown at ``time``."""
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

    def close(self) -> None:
        """Forget the pictures."""
        self._sprites = {}


def text_captions(text: Text, stream: StreamInfo) -> Captions:
    """The captions of a text stage."""
    captions = []
    for region in text.drawn_regions():
        fade_out = min(text.fade_out, (region.end_time - region.start_time) / 2)
        for element in region.elements:
            if element.enabled and element.spec.text.strip():
                picture = partial(draw_text, element.spec, stream.width, stream.height, stream.sample_aspect_ratio)
                captions.append(Caption(region.start_time, region.end_time, fade_out, picture))
    return Captions(captions, stream)


def banner_captions(banner: Banner, stream: StreamInfo) -> Captions:
    """The caption of a banner stage."""
    start = -inf if banner.start_time is None else banner.start_time
    end = inf if banner.end_time is None else banner.end_time
    picture = partial(draw_banner, banner, stream.width, banner.pixel_scale(stream), stream.sample_aspect_ratio)
    return Captions([Caption(start, end, 0.0, picture)], stream)
