"""Say how clips are joined: by a cut, a fade through black, or a dissolve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from reelproc.schema import Schema, SecondsFromZero

if TYPE_CHECKING:
    from reelproc.timing import Time

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
    duration: SecondsFromZero = 0.5

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(self, *, transition: Transition = "cut", duration: Time = 0.5) -> None: ...
