"""Sound through the whole pipeline: from a reel to the finished video."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from media_factory import run_ffmpeg
from reelproc.jobs import RenderJob, run_job
from reelproc.reel import Clip, Output, Reel
from reelproc.stages.concat import Concat
from reelproc.stages.speed import Speed, SpeedSegment
from sound_factory import RATE, bursts, onsets, with_picture, write_wav
from waiting import LONG

SMALL = {"width": 64, "height": 36}


@pytest.fixture(scope="module")
def burst_wav(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_wav(tmp_path_factory.mktemp("bursts") / "bursts.wav", bursts(12.0)[0])


def heard(path: Path) -> np.ndarray:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-"]
    return np.frombuffer(subprocess.run(command, check=True, capture_output=True, timeout=LONG).stdout, "<f4").reshape(
        -1, 2
    )


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_a_trimmed_clip_of_any_container_brings_its_own_sound(suffix: str, burst_wav: Path, tmp_path: Path) -> None:
    made = with_picture(tmp_path / "a.mp4", burst_wav, seconds=12, late=0.4)
    source = tmp_path / f"game.{suffix}"
    run_ffmpeg("-i", str(made), "-c", "copy", str(source))
    times = bursts(12.0)[1] + 0.4
    reel = Reel(clips=[Clip(source=str(source), start=3, end=8)], output=Output(**SMALL, fps=30))

    result = run_job(RenderJob(reel=reel, output=str(tmp_path / "reel.mp4")))

    late = onsets(heard(tmp_path / "reel.mp4"), times[(times > 3.2) & (times < 7.8)] - 3)
    assert result.frame_count == 150
    assert np.abs(late).max() < 0.003


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30_000, 1001)], ids=str)
@pytest.mark.parametrize("transition", ["cut", "fade", "dissolve"])
def test_sound_and_picture_of_a_reel_end_together(
    transition: str, fps: Fraction, burst_wav: Path, tmp_path: Path
) -> None:
    source = str(with_picture(tmp_path / "a.mp4", burst_wav, seconds=12))
    slow = Speed(segments=[SpeedSegment(start=0.5, end=1.2, speed=0.5), SpeedSegment(start=1.5, end=2, speed=2)])
    reel = Reel(
        clips=[Clip(source=source, start=1, end=3.3, stages=[slow]), Clip(source=source, start=6, end=7.77)],
        concat=Concat(transition=transition, duration=0.4),
        output=Output(**SMALL, fps=fps),
    )

    result = run_job(RenderJob(reel=reel, output=str(tmp_path / "reel.mp4")))

    with av.open(str(tmp_path / "reel.mp4")) as container:
        ends = [s.duration * s.time_base for s in container.streams]
        starts = [s.start_time for s in container.streams]
    assert starts == [0, 0]
    assert ends[0] == result.frame_count / fps
    assert abs(ends[0] - ends[1]) < Fraction(1, 1000)
    assert len(heard(tmp_path / "reel.mp4")) == pytest.approx(float(ends[0]) * RATE, abs=48)
