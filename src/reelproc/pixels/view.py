"""Hand a frame on with the part of it that is seen, so that a crop and a scaling after it sample it once."""

from __future__ import annotations

from typing import NamedTuple

from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import compose


class View(NamedTuple):
    """What goes from stage to stage: a frame, or a window of it that has not been cut out.

    Attributes:
        frame: the pixels.
        window: the part that is seen, in pixels of ``frame``, to the fraction of one; None: all of it.
        size: (width, height) that the window stands for, pixels; None: there is no window.
        origin: (x, y), the pixel of the decoded picture at which ``frame`` begins: (0, 0) but for an excerpt.
    """

    frame: Frame
    window: Window | None = None
    size: tuple[int, int] | None = None
    origin: tuple[int, int] = (0, 0)

    def within(self, window: Window) -> Window:
        """Return where a window of this view lies on its frame.

        Args:
            window: in pixels of the view: of its ``size``, or of the decoded picture.
        """
        x, y = self.origin
        if (x, y) != (0, 0):
            window = Window(window.x - x, window.y - y, window.width, window.height)
        if self.window is None or self.size is None:
            return window
        return compose(window, self.window, *self.size)

    def narrowed(self, window: Window, size: tuple[int, int]) -> View:
        """Return the view of a window of this view.

        Args:
            window: as for :meth:`within`.
            size: (width, height) that it stands for, pixels.
        """
        return View(self.frame, self.within(window), size)

    def cut(self) -> Frame:
        """Return what is seen as a frame of its own; the frame itself where that is all of it.

        The filter is ``lanczos``: it blurs least where a crop moves by fractions of a pixel, so the sharpness stays the
        same from frame to frame.
        """
        if self.window is None or self.size is None:
            return self.frame
        from reelproc.pixels.resample import resample

        return resample(self.frame, self.window, *self.size, filter="lanczos")
