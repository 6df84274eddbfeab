"""Not run: what users write must type-check, strictly (``nox -s typing``), with lists, paths and plain numbers."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, ClassVar, Literal, assert_type

import reelproc as rp
import reelproc_lab
from reelproc import compat
from reelproc.stages.base import StageWork, StreamInfo, Target


def a_reel(source: Path) -> rp.Reel:
    return rp.Reel(
        clips=[
            rp.Clip(
                source=source,
                start=3.0,
                end=9.0,
                stages=[
                    rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=690, y=60, width=540, height=960)]),
                    rp.Speed(segments=[rp.SpeedSegment(start=1.0, end=2.0, speed=0.5)]),
                    rp.Upscale(model="lanczos"),
                    rp.Overlay(
                        regions=[
                            rp.HighlightRegion(
                                start_time=1,
                                end_time=4,
                                keyframes=[rp.HighlightKeyframe(time=1, x=405, y=720, radius_x=150, radius_y=150)],
                            )
                        ]
                    ),
                    rp.Text(
                        regions=[
                            rp.TextRegion(
                                start_time=0, end_time=2, elements=[rp.TextElement(spec=rp.TextSpec(text="Go"))]
                            )
                        ]
                    ),
                    rp.Banner(rating=4, tags=["Pass"]),
                ],
            )
        ],
        concat=rp.Concat(transition="dissolve", duration=0.5),
        output=rp.Output(width=810, height=1440, fps=30),
    )


class Blank(rp.Stage):
    """A stage of one's own: a grey picture, for some of the time."""

    changes_pixels: ClassVar[bool] = True
    stage: Literal["blank"] = "blank"
    level: int = 128

    def active_spans(self, stream: StreamInfo) -> tuple[tuple[Fraction, Fraction], ...]:
        return ((Fraction(0), stream.duration / 2),)

    def open(self, stream: StreamInfo, target: Target) -> StageWork:
        return BlankWork(self.level, stream)


class BlankWork(StageWork):
    def __init__(self, level: int, stream: StreamInfo) -> None:
        self.level, self.until = level, float(stream.duration) / 2

    def __call__(self, frame: rp.Frame, time: float) -> rp.Frame:
        if time <= self.until:
            frame.data[:] = self.level
        return frame


def a_stage_of_ones_own(source: Path) -> None:
    clip = rp.Clip(source=source, stages=[rp.Crop(), Blank(level=16)])
    assert_type(clip.stages[0], rp.Stage)
    assert_type(clip.stages[0].stage, str)
    Blank(level=16, size=3)  # type: ignore[call-arg]


def a_job(source: Path) -> None:
    with rp.executor("local") as executor:
        handle = executor.submit(rp.RenderJob(reel=a_reel(source), output=Path("reel.mp4")))
        for event in handle.events():
            assert_type(event, rp.Progress)
        assert_type(handle.result(timeout=600).frame_count, int)


def frames(source: Path) -> None:
    with rp.open_video(source, pix_fmt="yuv420p", start=Fraction(1, 3), end=2.5) as video:
        for frame in video:
            assert_type(frame.pts, int)
            assert_type(frame.time_base, Fraction)
    assert_type(rp.probe(source, exact=True).frame_count, int | None)


def rates() -> None:
    for rate in (30, 29.97, "30000/1001", Fraction(30)):
        assert_type(rp.Output(fps=rate).fps, Fraction | None)


def players(source: Path) -> None:
    found = rp.detect_players(source, times=[1, 2.5], classes=["person"])
    assert_type(found.frames[0].detections[0].corners, tuple[float, float, float, float])
    with rp.executor("local") as executor:
        assert_type(executor.submit(rp.DetectJob(source=source, frames=[3])).result(), rp.DetectResult)
        assert_type(executor.submit(rp.RenderJob(reel=a_reel(source), output="a.mp4")).result(), rp.RenderResult)
        followed = rp.follow_player(source, at=3, point=(640, 360), executor=executor)
    assert_type(followed.reel(), rp.Reel)


def times(source: Path) -> None:
    minute = timedelta(minutes=1)
    keyframe = rp.HighlightKeyframe(time="0:03", x=1, y=1, radius_x=1, radius_y=1)
    rp.HighlightRegion(start_time="0:03", end_time=minute, keyframes=[keyframe])
    rp.CropKeyframe(time=Fraction(1, 3), x=0, y=0, width=2, height=2)
    rp.Speed(segments=[rp.SpeedSegment(start="0:01", end=minute, speed=0.5)])
    rp.Banner(rating=1, start_time="0:01", end_time=Decimal("2.5"))
    assert_type(rp.Clip(source=source, start="0:03", end=minute).start, float)
    rp.ExtractJob(source=source, output="a.mp4", start="1:02:03.5", end=4000)
    rp.DetectJob(source=source, times=["0:03", 4, minute])
    rp.Concat(transition="fade", duration="0:01")
    rp.open_video(source, start="0:03", end=minute).close()


async def the_apps_functions() -> None:
    async def heard(progress: float, message: str, phase: str) -> None: ...

    result = await compat.process_framing_async(
        "j", "u", "in.mp4", "out.mp4", [], output_width=90, executor="modal", progress_callback=heard
    )
    assert_type(result, dict[str, Any])
    assert_type(compat.status("local:j"), compat.CallStatus)
    compat.extract_clip("u", "a.mp4", "b.mp4", 1, 2.5, root=Path("media"), call_id_callback=print)
    compat.extract_clip("u", "a.mp4", "b.mp4", "1", 2.5)  # type: ignore[arg-type]
    compat.extract_clip("u", "a.mp4", "b.mp4", 1, 2.5, copy=True)  # type: ignore[call-arg]


def an_experiment(folder: Path) -> None:
    outcome = reelproc_lab.run("e2", folder, reelproc_lab.Settings(executors=["local"], repeats=6))
    assert_type(outcome, reelproc_lab.Outcome)
    assert_type(outcome.decisions[0].chosen, str | None)
