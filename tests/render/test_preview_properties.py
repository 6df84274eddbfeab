"""A preview is the frame that a render gives to the encoder, whatever the reel and wherever in it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reelproc as rp
from media_factory import numbered_video, planes_of
from reelproc.job_context import JobContext
from reelproc.jobs import run_job

WIDTH, HEIGHT = 96, 128


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Constant rates, B-frames, a variable rate, a turned picture; a second long each."""
    folder = tmp_path_factory.mktemp("sources")
    made = [
        numbered_video(folder / "thirty.mp4", frame_count=40, width=192, height=108),
        numbered_video(folder / "film.mkv", frame_count=32, fps=24, width=160, height=120, b_frames=0, gop_size=7),
        numbered_video(folder / "varying.mp4", pts=[0, 40, 90, 100, 260, 270, 300, 540, 600, 1010, 1100, 1250]),
        numbered_video(folder / "turned.mov", frame_count=40, fps=25, width=108, height=192, rotation=90),
    ]
    return [video.path for video in made]


@st.composite
def stages(draw: st.DrawFn) -> list[Any]:
    chosen: list[Any] = []
    if draw(st.booleans()):
        chosen.append(rp.Crop(keyframes=[
            rp.CropKeyframe(time=time, x=draw(st.floats(0, 40)), y=draw(st.floats(0, 20)), width=54, height=72)
            for time in (0, 0.7)
        ]))  # fmt: skip
    if draw(st.booleans()):
        speed = draw(st.sampled_from([0.25, 0.5, 2.0]))
        chosen.append(rp.Speed(segments=[rp.SpeedSegment(start=0.1, end=0.3, speed=speed)]))
    chosen.append(rp.Upscale(model=draw(st.sampled_from(["lanczos", "area"])), dedupe=draw(st.sampled_from([None, 9]))))
    if draw(st.booleans()):
        effect = draw(st.sampled_from(["dark_overlay", "brightness_boost"]))
        key = rp.HighlightKeyframe(time=0.2, x=50, y=60, radius_x=20, radius_y=30, opacity=0.5)
        region = rp.HighlightRegion(start_time=0.1, end_time=0.4, keyframes=[key])
        chosen.append(rp.Overlay(regions=[region], effect=effect, stroke_width=2))
    return chosen


@st.composite
def reels(draw: st.DrawFn, count: int) -> tuple[list[tuple[int, float, float, list[Any]]], rp.Concat, int]:
    clips = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.floats(0, 0.4).map(lambda s: round(s, 3)))
        clips.append(
            (draw(st.integers(0, count - 1)), start, round(start + draw(st.floats(0.5, 0.75)), 3), draw(stages()))
        )
    concat = draw(st.sampled_from([
        rp.Concat(), rp.Concat(transition="dissolve", duration=0.2), rp.Concat(transition="fade", duration=0.3)
    ]))  # fmt: skip
    return clips, concat, draw(st.sampled_from([24, 30, 50]))


def rendered(reel: rp.Reel, path: Path) -> list[tuple[np.ndarray, ...]]:
    """The planes of each frame of a render without loss."""
    lossless = reel.output.model_copy(update={"crf": 0.0, "audio": False})
    run_job(rp.RenderJob(reel=reel.model_copy(update={"output": lossless}), output=path), JobContext())
    return planes_of(path)


def same(still: rp.Still, frame: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(still.planes, frame, strict=True))


@given(data=st.data())
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_previews_are_the_frames_of_a_render_without_loss(
    data: st.DataObject, sources: list[Path], tmp_path: Path
) -> None:
    clips, concat, fps = data.draw(reels(len(sources)))
    reel = rp.Reel(
        clips=[rp.Clip(source=sources[n], start=a, end=b, stages=made) for n, a, b, made in clips],
        concat=concat,
        output=rp.Output(width=WIDTH, height=HEIGHT, fps=fps),
    )
    frames = rendered(reel, tmp_path / "whole.mp4")
    plan = rp.plan(reel)
    assert len(frames) == plan.frame_count
    indices = data.draw(st.lists(st.integers(0, len(frames) - 1), min_size=1, max_size=6))
    for still, index in zip(rp.preview(plan, time=[plan.time(n) for n in indices]), indices, strict=True):
        assert (still.index, still.time) == (index, Fraction(index, fps))
        assert same(still, frames[index]), f"frame {index} of {indices}"
    index = indices[0]
    assert same(rp.preview(reel, time=float(plan.time(index))), frames[index])
