"""One clip's frames where some are lost: the same pictures, whether or not a stage works ahead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
import pytest

import reelproc as rp
from media_factory import damage_packet, numbered_video
from reelproc.pixels.frame import Frame
from reelproc.render.clip_renderer import ClipRenderer
from reelproc.render.plan import PlannedClip
from reelproc.results import PhaseClock
from reelproc.stages.base import Stage, StageWork, StreamInfo, Target
from reelproc.storage.source import as_source


class Inverts(StageWork):
    """Inverts the light, in a thread if it works ahead."""

    def __init__(self, batch_size: int) -> None:
        self.works_ahead, self.batch_size = batch_size > 0, max(batch_size, 1)
        self.pool = ThreadPoolExecutor(1)
        self.done: list[int] = []

    def __call__(self, frame: Frame, time: float) -> Frame:
        self.done.append(frame.pts)
        np.subtract(255, frame.planes[0], out=frame.planes[0])
        return frame

    def submit(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        return self.pool.submit(lambda: [self(frame, time) for frame, time in zip(frames, times, strict=True)]).result

    def close(self) -> None:
        self.pool.shutdown()


class Inverting(Stage):
    """The stage of :class:`Inverts`; ``works`` has all that were opened."""

    works: ClassVar[list[Inverts]] = []

    stage: Literal["inverting"] = "inverting"
    batch_size: int

    def open(self, stream: StreamInfo, target: Target) -> Inverts:
        self.works.append(Inverts(self.batch_size))
        return self.works[-1]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> PlannedClip:
    """Two seconds at 30 fps of which a group of twelve frames and two single ones are lost."""
    folder = tmp_path_factory.mktemp("footage")
    made = numbered_video(folder / "whole.mp4", frame_count=60, b_frames=0)
    for number, ordinal in enumerate((7, 24, 44)):  # the second is a key frame
        damage_packet(made, folder / f"{number}.mp4", ordinal)
        made = replace(made, path=folder / f"{number}.mp4")
    reel = rp.Reel(clips=[rp.Clip(source=made.path)], output=rp.Output(fps=30))
    return rp.plan(reel, smart_copy=False).clips[0]


def pictures(clip: PlannedClip, batch_size: int, wanted: Sequence[int]) -> tuple[list[bytes], list[int], list[int]]:
    """The frames ``wanted``, the timestamps that were concealed, and those that were worked on."""
    clip = replace(
        clip, stages=(Inverting(batch_size=batch_size),), streams=clip.streams[:1] * 2, clocks=clip.clocks[:1] * 2
    )
    shown = tuple(clip.pts[n] for n in wanted)
    only = None if len(wanted) == len(clip.pts) else shown
    renderer = ClipRenderer(clip, as_source(clip.source), shown[-1], conceal=True, clock=PhaseClock(), shown=only)
    made = [renderer.frame(pts).data.tobytes() for pts in shown]
    renderer.close()
    return made, renderer.concealed, Inverting.works[-1].done


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
@pytest.mark.parametrize("wanted", [range(60), range(3, 60, 4), [9, 30, 31, 47, 59]], ids=["all", "some", "few"])
def test_a_stage_that_works_ahead_changes_no_picture(
    damaged: PlannedClip, batch_size: int, wanted: Sequence[int]
) -> None:
    plain, lost, _ = pictures(damaged, 0, list(wanted))
    assert len(lost) > 0
    ahead, lost_ahead, done = pictures(damaged, batch_size, list(wanted))
    assert ahead == plain
    assert lost_ahead == lost
    assert len(set(done)) <= len(wanted), "each source frame is worked on once, and no other"


def test_a_lost_frame_shows_the_last_good_one(damaged: PlannedClip) -> None:
    made, lost, _ = pictures(damaged, 2, list(range(60)))
    numbers = [damaged.pts.index(pts) for pts in lost]
    assert 7 in numbers
    assert set(range(24, 36)) <= set(numbers)
    for number in numbers:
        assert made[number] == made[number - 1]
