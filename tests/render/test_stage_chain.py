"""The stages of a clip: in order, each at its own time, a network beside the loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import reelproc as rp
from media_factory import numbered_video
from reelproc.errors import BackendError
from reelproc.pixels.frame import Frame
from reelproc.pixels.view import View
from reelproc.render.plan import PlannedClip
from reelproc.render.stage_chain import StageChain
from reelproc.results import PhaseClock
from reelproc.stages.base import StageWork


class Notes(StageWork):
    """Notes what it is asked to do, and when it is closed."""

    def __init__(self, name: str, log: list[str], *, ahead: bool = False) -> None:
        self.name, self.log = name, log
        if ahead:
            self.works_ahead, self.batch_size, self.network_seconds = True, 3, 1.5

    def __call__(self, frame: Frame, time: float) -> Frame:
        self.log.append(f"{self.name} at {time:.1f}")
        return frame

    def submit(self, frames: Sequence[Frame], times: Sequence[float]) -> Callable[[], list[Frame]]:
        self.log.append(f"{self.name} begins")
        return lambda: [self(frame, time) for frame, time in zip(frames, times, strict=True)]

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> PlannedClip:
    path = numbered_video(tmp_path_factory.mktemp("footage") / "game.mp4", frame_count=60, fps=10).path
    return rp.plan(rp.Reel(clips=[rp.Clip(source=path, start=2, end=4)], output=rp.Output(fps=10))).clips[0]


def chain(clip: PlannedClip, clock: PhaseClock, *works: StageWork | Exception | None) -> StageChain:
    def opened(work: StageWork | Exception | None) -> Any:
        def open_(*_: object) -> StageWork | None:
            if isinstance(work, Exception):
                raise work
            return work

        return SimpleNamespace(open=open_)

    count = len(works)
    staged = replace(
        clip,
        stages=tuple(opened(work) for work in works),
        streams=clip.streams[:1] * (count + 1),
        clocks=clip.clocks[:1] * (count + 1),
    )
    return StageChain(staged, frozenset(), clock)


def frames(clip: PlannedClip, count: int) -> list[Frame]:
    made = []
    for pts in clip.pts[:count]:
        frame = Frame.empty(16, 16, "yuv420p")
        frame.pts = pts
        made.append(frame)
    return made


def test_without_a_network_all_is_done_when_a_frame_is_prepared(clip: PlannedClip) -> None:
    log: list[str] = []
    stages = chain(clip, PhaseClock(), Notes("a", log), None, Notes("b", log))
    assert (stages.batch_size, stages.batches_ahead) == (1, 1)
    (frame,) = frames(clip, 1)
    wait = stages.submit([stages.prepare(View(frame))], [frame.pts])
    assert log == ["a at 0.0", "b at 0.0"]
    assert wait() == [frame]
    assert log == ["a at 0.0", "b at 0.0"]


def test_a_network_gets_batches_and_what_follows_it_is_done_when_they_are_waited_for(clip: PlannedClip) -> None:
    log: list[str] = []
    clock = PhaseClock()
    stages = chain(clip, clock, Notes("a", log), Notes("net", log, ahead=True), Notes("b", log))
    assert (stages.batch_size, stages.batches_ahead) == (3, 2)
    given = frames(clip, 2)
    wait = stages.submit([stages.prepare(View(frame)) for frame in given], [frame.pts for frame in given])
    assert log == ["a at 0.0", "a at 0.1", "net begins"]
    assert wait() == given
    assert log[3:] == ["net at 0.0", "net at 0.1", "b at 0.0", "b at 0.1"]
    stages.close()
    stages.close()
    assert log[7:] == ["a closed", "net closed", "b closed"]
    assert clock.seconds["network"] == 1.5


def test_a_frame_may_go_through_all_at_once(clip: PlannedClip) -> None:
    log: list[str] = []
    stages = chain(clip, PhaseClock(), Notes("a", log), Notes("net", log, ahead=True), Notes("b", log))
    (frame,) = frames(clip, 1)
    assert stages(View(frame)) is frame
    assert log == ["a at 0.0", "net at 0.0", "b at 0.0"]


def test_a_stage_that_cannot_be_opened_closes_those_before_it(clip: PlannedClip) -> None:
    log: list[str] = []
    with pytest.raises(BackendError, match="no device"):
        chain(clip, PhaseClock(), Notes("a", log), BackendError("no device"), Notes("b", log))
    assert log == ["a closed"]
