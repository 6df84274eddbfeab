"""The promises of every stage: inherit :class:`StageSuite`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame, PixelFormat
from reelproc.reel import Clip
from reelproc.stages import STAGES
from reelproc.stages.base import Stage, StageWork, StreamInfo, Target
from reelproc.testing.pictures import noise

__all__ = ["StageSuite"]

RATE = 10
"""Frames a second."""


class StageSuite:
    """Check that a stage keeps the promises of :class:`~reelproc.Stage`.

    Override :meth:`make`, with fields such that the stage does something to some frames of :attr:`stream`. Write a
    subclass for each way of working that it has.
    """

    stream: ClassVar[StreamInfo] = StreamInfo(96, 54, Fraction(2))
    """What the stage gets: noise, 10 frames a second."""

    target: ClassVar[Target] = Target(width=64, height=64)
    """What the reel's output wants."""

    def make(self) -> Stage:
        """Return the stage."""
        raise NotImplementedError

    @pytest.fixture
    def stage(self) -> Stage:
        """Return the stage of the test."""
        return self.make()

    def test_it_is_found_by_its_name(self, stage: Stage) -> None:
        assert STAGES.get(stage.stage) is type(stage)

    def test_json_keeps_it(self, stage: Stage) -> None:
        clip = Clip(source="game.mp4", stages=[stage])
        assert Clip.model_validate_json(clip.model_dump_json()) == clip

    def test_a_field_that_it_does_not_have_is_refused(self, stage: Stage) -> None:
        with pytest.raises(SpecError, match="no_such_field"):
            type(stage).model_validate({**stage.model_dump(), "no_such_field": 1})

    @pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
    def test_frames_have_the_size_that_was_said_before(self, stage: Stage, pix_fmt: PixelFormat) -> None:
        stream = replace(self.stream, pix_fmt=pix_fmt)
        said = stage.resolve(stream, self.target)
        for frame in _made(stage, stream, self.target, range(3)):
            assert (frame.width, frame.height, frame.pix_fmt) == (said.width, said.height, said.pix_fmt)

    def test_asking_and_working_change_nothing_of_it(self, stage: Stage) -> None:
        before = stage.model_dump_json()
        first = stage.resolve(self.stream, self.target), stage.active_spans(self.stream), stage.fingerprint()
        _made(stage, self.stream, self.target, range(3))
        again = stage.resolve(self.stream, self.target), stage.active_spans(self.stream), stage.fingerprint()
        assert again == first
        assert stage.model_dump_json() == before

    def test_frames_are_the_same_wherever_the_work_begins(self, stage: Stage) -> None:
        """A render may begin anywhere; work that remembers begins at one of the target's restarts."""
        target = replace(self.target, restarts=frozenset({7})) if stage.remembers else self.target
        whole = _made(stage, self.stream, target, range(self._count))
        part = _made(stage, self.stream, target, range(7, self._count))
        assert [frame.pts for frame in part] == list(range(7, self._count))
        for one, two in zip(whole[7:], part, strict=True):
            assert np.array_equal(one.data, two.data)

    def test_two_works_do_not_know_each_other(self, stage: Stage) -> None:
        alone = _made(stage, self.stream, self.target, range(4))
        with _opened(stage, self.stream, self.target) as one, _opened(stage, self.stream, self.target) as two:
            for number in range(4):
                two(_frame(self.stream, 100 + number), number / RATE)
                assert np.array_equal(one(_frame(self.stream, number), number / RATE).data, alone[number].data)

    def test_frames_that_were_given_away_are_left_alone(self, stage: Stage) -> None:
        with _opened(stage, self.stream, self.target) as work:
            made = [work(_frame(self.stream, number), number / RATE) for number in range(self._count)]
        for one, two in zip(made, _made(stage, self.stream, self.target, range(self._count)), strict=True):
            assert np.array_equal(one.data, two.data)

    def test_frames_in_batches_are_those_one_by_one(self, stage: Stage) -> None:
        work = stage.open(self.stream, self.target)
        if work is None:
            return
        alone = _made(stage, self.stream, self.target, range(self._count))
        batched: list[Frame] = []
        for first in range(0, self._count, work.batch_size):
            numbers = range(first, min(first + work.batch_size, self._count))
            frames = [_frame(self.stream, n) for n in numbers]
            batched += work.submit(frames, [n / RATE for n in numbers])()
        work.close()
        assert [frame.pts for frame in batched] == list(range(self._count))
        for one, two in zip(alone, batched, strict=True):
            assert np.abs(one.data.astype(int) - two.data).max() <= (1 if work.batch_size > 1 else 0)

    def test_frames_keep_their_times(self, stage: Stage) -> None:
        for number, frame in enumerate(_made(stage, self.stream, self.target, range(3))):
            assert (frame.index, frame.pts, frame.time_base, frame.start_pts) == (number, number, Fraction(1, RATE), 0)

    def test_frames_outside_its_active_spans_come_out_as_they_went_in(self, stage: Stage) -> None:
        spans = stage.active_spans(self.stream)
        assert list(spans) == sorted(spans)
        assert all(a <= b for a, b in spans)
        assert all(left[1] < right[0] for left, right in zip(spans, spans[1:], strict=False))
        floats = [(float(a), float(b)) for a, b in spans]
        for frame in _made(stage, self.stream, self.target, range(self._count)):
            if not any(a <= frame.pts / RATE <= b for a, b in floats):
                assert np.array_equal(frame.data, _frame(self.stream, frame.pts).data)

    def test_frames_a_little_outside_its_time_are_no_fault(self, stage: Stage) -> None:
        said = stage.resolve(self.stream, self.target)
        with _opened(stage, self.stream, self.target) as work:
            for time in (-0.5 / RATE, float(self.stream.duration) + 0.5 / RATE):
                frame = work(_frame(self.stream, 0), time)
                assert (frame.width, frame.height) == (said.width, said.height)

    def test_what_only_draws_changes_no_size(self, stage: Stage) -> None:
        if stage.draws_only:
            assert stage.resolve(self.stream, self.target) == self.stream
            assert stage.window_at(self.stream, self.target) is None

    def test_time_goes_forward_and_ends_where_it_said(self, stage: Stage) -> None:
        clock = stage.time_map(self.stream)
        moments = [clock(Fraction(n, RATE)) for n in range(self._count)]
        assert moments == sorted(set(moments))
        assert clock(self.stream.duration) == stage.resolve(self.stream, self.target).duration
        if not stage.changes_time:
            assert moments == [Fraction(n, RATE) for n in range(self._count)]

    def test_its_amounts_of_work_are_no_less_than_nothing(self, stage: Stage) -> None:
        for amounts in stage.amounts(self.stream, self.target, self.stream):
            assert all(amount >= 0 for amount in amounts.per_frame.values())

    def test_closing_twice_is_safe_and_it_opens_again(self, stage: Stage) -> None:
        for _ in range(2):
            if (work := stage.open(self.stream, self.target)) is not None:
                work(_frame(self.stream, 0), 0.0)
                work.close()
                work.close()

    @property
    def _count(self) -> int:
        return int(self.stream.duration * RATE)


def _frame(stream: StreamInfo, number: int) -> Frame:
    """Return noise; every second frame differs from the one before by one level, as in footage that stands still."""
    frame = noise(stream.width, stream.height, stream.pix_fmt, seed=number // 2)
    frame.data[:8] ^= number % 2
    frame.index, frame.pts, frame.time_base = number, number, Fraction(1, RATE)
    return frame


@contextmanager
def _opened(stage: Stage, stream: StreamInfo, target: Target) -> Iterator[Callable[[Frame, float], Frame]]:
    work: StageWork | None = stage.open(stream, target)
    if work is None:
        yield lambda frame, _: frame
        return
    try:
        yield work
    finally:
        work.close()


def _made(stage: Stage, stream: StreamInfo, target: Target, numbers: Sequence[int]) -> list[Frame]:
    """Return copies of the frames that the stage makes of those with ``numbers``."""
    with _opened(stage, stream, target) as work:
        return [work(_frame(stream, number), number / RATE).copy() for number in numbers]
