"""Whole renders, in several segments, by encoders other than x264; copies of what they made."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video, tone
from reelproc.jobs import run_job


@pytest.mark.parametrize(("encoder", "codec"), [("libx265", "hevc"), ("libsvtav1", "av1")])
def test_a_render_of_two_segments_and_a_copy_of_it_are_whole(tmp_path: Path, encoder: str, codec: str) -> None:
    source = numbered_video(tmp_path / "a.mp4", frame_count=630, width=160, height=90, sound=tone(21.0)).path
    preset = {"libsvtav1": "12", "libx265": "ultrafast"}[encoder]
    reel = rp.Reel(
        clips=[rp.Clip(source=source)], output=rp.Output(width=160, height=90, encoder=encoder, preset=preset)
    )
    assert len(rp.plan(reel).segments) > 1
    run_job(rp.RenderJob(reel=reel, output=tmp_path / "made.mp4"))
    run_job(rp.ExtractJob(source=tmp_path / "made.mp4", output=tmp_path / "copy.mp4", end=4, copy_codec=True))
    made, copy = (rp.probe(tmp_path / name, exact=True) for name in ("made.mp4", "copy.mp4"))
    assert (made.require_video().codec, made.frame_count, float(made.duration)) == (codec, 630, 21.0)
    assert copy.require_video().codec == codec
    assert (copy.frame_count or 0) >= 120
    assert made.audio is not None
