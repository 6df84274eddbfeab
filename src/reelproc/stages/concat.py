"""How clips are joined: a cut, a fade through black, or a dissolve."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from reelproc.schema import Schema, Seconds

__all__ = ["Concat", "Transition"]

Transition = Literal["cut", "fade", "dissolve"]


class Concat(Schema):
    """The join between neighbouring clips of a reel; the sound crosses (or fades) over the same span.

    Attributes:
        transition: ``"cut"``; ``"fade"``: the first half of ``duration`` darkens the end of one clip, the second half
            opens the next, and nothing overlaps; ``"dissolve"``: both clips overlap by ``duration``, by which the reel
            gets shorter.
        duration: seconds, at least 0; of no effect on a cut.
    """

    transition: Transition = "cut"
    duration: Annotated[Seconds, Field(ge=0)] = 0.5
