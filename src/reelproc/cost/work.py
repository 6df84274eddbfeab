"""How much work a job is: counted amounts, each of a named kind, before anything is decoded.

A *kind* is what a rate exists for (:mod:`reelproc.cost.calibration`): ``seconds = amount x rate``. The kinds:

| kind | unit | what is counted |
| --- | --- | --- |
| ``decode.CODEC`` | megapixel | of every source frame that is decoded, those between key frame and start included |
| ``pipe`` | megapixel | of what crosses the decoder's pipe |
| ``stage.scale`` | GFLOP | of a resampler, both passes |
| ``stage.dim``, ``stage.boost``, ``stage.ring`` | megapixel | of the frame that is dimmed; of the ellipse's box |
| ``stage.rotate``, ``stage.mix``, ``stage.fade`` | megapixel | of the frame |
| ``stage.text`` | frame | that text or a banner is drawn on |
| ``stage.network`` | megapixel | that a network's host side delivers |
| ``network.PRECISION`` | TFLOP | of the network |
| ``encode.ENCODER.PRESET`` | megapixel | of every encoded frame that differs from the one before |
| ``repeat.ENCODER.PRESET`` | megapixel | of frames that show the same again |
| ``segment``, ``open`` | each | encoders started, sources opened |
| ``audio``, ``audio.stretched``, ``audio.silent`` | second | of sound; at another speed than 1; of silence |
| ``probe`` | clip | sources looked at |
| ``assemble`` | frame | packets joined |
| ``copy``, ``download``, ``upload`` | megabyte | packets copied; bytes moved |
| ``detect.MODEL`` | TFLOP | of a detector |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from pydantic import Field

from reelproc.schema import Schema

Amounts = Mapping[str, float]
"""By kind."""


def added(*amounts: Amounts) -> dict[str, float]:
    """Return the sum, kind by kind.

    >>> added({"pipe": 1.0}, {"pipe": 2.0, "frame": 1.0})
    {'pipe': 3.0, 'frame': 1.0}
    """
    total: dict[str, float] = {}
    for each in amounts:
        for kind, amount in each.items():
            total[kind] = total.get(kind, 0.0) + amount
    return total


class SegmentWork(Schema):
    """One encoded segment of a plan, the unit that chunks divide by.

    Attributes:
        number: its place among the plan's segments, the copied ones counted.
        frames: output frames.
        clips: the clips that it shows.
        amounts: its share of the loop's work, without the opening of sources.
    """

    number: int
    frames: int
    clips: tuple[int, ...]
    amounts: dict[str, float]


class Part(Schema):
    """What one worker does of a render: some segments.

    Attributes:
        segments: how many.
        frames: output frames.
        amounts: of the loop, the opening of sources and encoders included.
    """

    segments: int
    frames: int
    amounts: dict[str, float]


class Work(Schema):
    """What a job does.

    Attributes:
        job: ``"render"``, ``"extract"`` or ``"detect"``.
        frames: of the result.
        copied_frames: of these, taken over bit by bit.
        duration_seconds: of the result.
        segments: the encoded segments.
        opening: for each clip what it costs to open its source somewhere: the frames that are decoded only because
            decoding begins at a key frame.
        before, beside, after: amounts before the loop (probe), at the same time (sound) and after it (joining).
        source_megabytes: of all sources that are needed, as much as would be moved to another machine.
        remote_megabytes: of these, what lies elsewhere already.
        output_megabytes: about how large the result gets.
        networks: the names of the networks that it runs.
        upscaled_frames: source frames that go through a network, each once.
        warnings: what could not be counted, so that the estimate is a lower bound.
    """

    job: str
    frames: int
    copied_frames: int = 0
    duration_seconds: float = 0.0
    segments: tuple[SegmentWork, ...] = ()
    opening: dict[int, dict[str, float]] = Field(default_factory=dict)
    before: dict[str, float] = Field(default_factory=dict)
    beside: dict[str, float] = Field(default_factory=dict)
    after: dict[str, float] = Field(default_factory=dict)
    source_megabytes: float = 0.0
    remote_megabytes: float = 0.0
    output_megabytes: float = 0.0
    networks: tuple[str, ...] = ()
    upscaled_frames: int = 0
    warnings: tuple[str, ...] = ()

    def part(self, numbers: Iterable[int]) -> Part:
        """Return the encoded segments at these places in :attr:`segments`, as one worker does them.

        Segments that follow one another share their readers; each gap, and each worker, opens its sources again.
        """
        chosen = sorted((self.segments[n] for n in numbers), key=lambda segment: segment.number)
        amounts = added(*(segment.amounts for segment in chosen))
        opened: list[int] = []
        for before, segment in pairwise([None, *chosen]):
            if segment is None:
                continue
            follows = before is not None and before.number + 1 == segment.number
            opened += [clip for clip in segment.clips if not (follows and before and clip in before.clips)]
        opening = added(*(self.opening.get(clip, {}) for clip in opened))
        counted = {"segment": float(len(chosen)), "open": float(len(opened))}
        return Part(
            segments=len(chosen), frames=sum(s.frames for s in chosen), amounts=added(amounts, opening, counted)
        )

    @property
    def whole(self) -> Part:
        """All of the loop, done by one worker."""
        return self.part(range(len(self.segments)))
