"""A reel rendered: every planned frame, in its place, however the work was cut up, and damage never silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import reelproc as rp
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.write.encoders import EncoderSettings
from reelproc.media.write.writer import VideoWriter
from reelproc.render.reel_sound import ReelSound
from reelproc.render.segment_encoding import render_segments
from reelproc.results import Progress
from reelproc.storage.sources import Sources
from waiting import LONG, eventually

WIDTH, HEIGHT, BITS, BLOCK = 192, 108, 10, 16
LOSSLESS = {"crf": 0, "preset": "ultrafast"}


def numbered(path: Path, count: int, *, fps: Fraction = Fraction(30), gop_size: int = 12) -> Path:
    """A lossless clip whose frame numbers stand in its top row as black and white blocks."""
    settings = EncoderSettings(preset="fast", crf=0, gop_size=gop_size)
    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=fps, settings=settings) as writer:
        for number in range(count):
            frame = rp.Frame.empty(WIDTH, HEIGHT, "yuv420p")
            luma, blue, red = frame.planes
            luma[:], blue[:], red[:] = 90 + number % 40, 118, 140
            for bit in range(BITS):
                luma[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
            writer.write(frame)
        writer.finish()
    return path


def numbers(path: str | Path) -> list[int]:
    """The frame numbers that a rendered clip shows."""
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            luma = frame.to_ndarray()[: frame.height, : frame.width]
            scale = frame.width / WIDTH
            bits = [luma[int(8 * scale), int((bit * BLOCK + 8) * scale)] > 125 for bit in range(BITS)]
            found.append(sum(1 << n for n, bit in enumerate(bits) if bit))
    return found


def pictures(path: str | Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


def reel_of(*clips: rp.Clip, concat: rp.Concat | None = None, **output: object) -> rp.Reel:
    settings = {"width": WIDTH, "height": HEIGHT, "audio": False, **LOSSLESS, **output}
    return rp.Reel(clips=clips, concat=concat or rp.Concat(), output=rp.Output.model_validate(settings))


def render(reel: rp.Reel, output: Path, **options: object) -> rp.RenderResult:
    context = JobContext(folder=options.pop("folder", None), progress=options.pop("progress", lambda _: None))  # type: ignore[arg-type]
    return run_job(rp.RenderJob(reel=reel, output=str(output), **options), context)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("source") / "numbered.mp4", 300)


@pytest.fixture(scope="module")
def source60(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return numbered(tmp_path_factory.mktemp("source") / "sixty.mp4", 240, fps=Fraction(60))


def test_a_trim_shows_exactly_its_frames(source: Path, tmp_path: Path) -> None:
    result = render(reel_of(rp.Clip(source=source, start=2, end=5)), tmp_path / "o.mp4")
    assert numbers(result.output) == list(range(60, 150))
    assert (result.frame_count, result.duration_seconds, result.fps) == (90, 3.0, "30")


def test_60_fps_becomes_30_at_normal_speed(source60: Path, tmp_path: Path) -> None:
    """The original wrote 60 fps footage frame by frame at 30: half speed, its tail cut off."""
    result = render(reel_of(rp.Clip(source=source60, start=1, end=3)), tmp_path / "o.mp4")
    assert numbers(result.output) == list(range(60, 180, 2))


def test_slow_motion_and_a_cut_are_what_the_plan_says(source: Path, tmp_path: Path) -> None:
    slow = rp.Speed(segments=[rp.SpeedSegment(start=0.5, end=1, speed=0.5)])
    reel = reel_of(rp.Clip(source=source, start=1, end=2.5, stages=[slow]), rp.Clip(source=source, start=6, end=7))
    result = render(reel, tmp_path / "o.mp4")
    planned = [frame.shot.pts for frame in rp.plan(reel).frames()]
    unit = min(p for p in planned if p) // 30  # pts of frame 30, the first one shown
    assert numbers(result.output) == [p // unit for p in planned]
    assert result.frame_count == 60 + 30
    assert [(c.first_frame, c.frame_count) for c in result.clips] == [(0, 60), (60, 30)]


def test_a_dissolve_mixes_both_clips(source: Path, tmp_path: Path) -> None:
    concat = rp.Concat(transition="dissolve", duration=0.5)
    reel = reel_of(rp.Clip(source=source, start=0, end=2), rp.Clip(source=source, start=5, end=7), concat=concat)
    result = render(reel, tmp_path / "o.mp4")
    assert result.frame_count == 105
    found = numbers(result.output)
    assert found[:45] == list(range(45))
    assert found[60:] == list(range(165, 210))
    with av.open(result.output) as container:
        frames = [f.to_ndarray() for f in container.decode(video=0)]
    base = [90 + n % 40 for n in range(300)]
    for step in range(15):
        weight = (step + 1) / 16
        expected = base[45 + step] * (1 - weight) + base[150 + step] * weight
        assert abs(float(frames[45 + step][60, 100]) - expected) <= 1


def test_a_fade_goes_through_black(source: Path, tmp_path: Path) -> None:
    concat = rp.Concat(transition="fade", duration=0.4)
    reel = reel_of(rp.Clip(source=source, start=0, end=1), rp.Clip(source=source, start=5, end=6), concat=concat)
    result = render(reel, tmp_path / "o.mp4")
    with av.open(result.output) as container:
        frames = [f.to_ndarray() for f in container.decode(video=0)]
    assert result.frame_count == len(frames) == 60
    assert np.all(frames[29][:HEIGHT] == 16)
    assert np.all(frames[29][HEIGHT:] == 128)
    light = [float(f[60, 100]) for f in frames[20:40]]
    assert min(light) == light[9] == 16
    assert light[0] > 100
    assert light[-1] > 80


def test_source_timestamps_are_kept_frame_for_frame(footage: Path, tmp_path: Path) -> None:
    for name in ("cursed-vfr.mp4", "fire2.mp4", "vtest.avi"):
        end = 3.0 if name == "vtest.avi" else None
        clip = rp.Clip(source=footage / name, end=end)
        reel = rp.Reel(
            clips=[clip], output=rp.Output(width=None, height=None, fps=None, preset="ultrafast", audio=False)
        )
        result = render(reel, tmp_path / f"{name}.mp4")
        truth = json.loads((footage / "oracle.json").read_text())[name]
        base = Fraction(truth["time_base"])
        times = [(p - truth["pts"][0]) * base for p in truth["pts"]]
        times = [t for t in times if end is None or t < end]
        with av.open(result.output) as container:
            found = [f.pts * f.time_base for f in container.decode(video=0)]  # type: ignore[operator]
        assert found == times
        assert result.frame_count == len(times)


@pytest.mark.parametrize(
    "name",
    [
        "vtest.avi",
        "sample_edit_list.mp4",
        "pixel-motion-photo-2-hevc-tracks.mp4",
        "tree.avi",
        "edts.mp4",
        "bear-vp9-odd-dimensions.webm",
        "video_90.mov",
        "no-initial-keyframe.ts",
    ],
)
def test_real_footage_gives_the_planned_number_of_frames(footage: Path, tmp_path: Path, name: str) -> None:
    clip = rp.Clip(source=footage / name, end=2 if name in ("vtest.avi", "edts.mp4", "tree.avi") else None)
    reel = rp.Reel(clips=[clip], output=rp.Output(width=136, height=240, preset="ultrafast", audio=False))
    result = render(reel, tmp_path / "o.mp4")
    with av.open(result.output) as container:
        times = [f.pts * f.time_base for f in container.decode(video=0)]  # type: ignore[operator]
    assert len(times) == result.frame_count == rp.plan(reel).frame_count
    assert times == [Fraction(n, 30) for n in range(len(times))]


def test_pieces_rendered_apart_are_the_same_pictures(source: Path, tmp_path: Path) -> None:
    concat = rp.Concat(transition="dissolve", duration=0.5)
    speed = rp.Speed(segments=[rp.SpeedSegment(start=0, end=1, speed=0.5)])
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=0, y=0, width=96, height=54),
                              rp.CropKeyframe(time=2, x=80.5, y=40.25, width=96, height=54)])  # fmt: skip
    clips = [rp.Clip(source=source, start=n, end=n + 2, stages=[crop, speed]) for n in (0, 3, 6)]
    plan = rp.plan(reel_of(*clips, concat=concat))
    settings = EncoderSettings(preset="ultrafast", crf=0)
    whole = tmp_path / "whole.mp4"
    render_segments(plan, [(0, plan.frame_count, whole)], sources=Sources(), settings=settings)
    edges = [0, 7, 50, 85, 100, 170, plan.frame_count]  # inside dissolves, slow motion and plain stretches
    parts = [(a, b, tmp_path / f"{a}.mp4") for a, b in zip(edges, edges[1:], strict=False)]
    for part in reversed(parts):
        render_segments(plan, [part], sources=Sources(), settings=settings)
    assert [p for _, _, path in parts for p in pictures(path)] == pictures(whole)


def test_a_second_run_reuses_finished_segments(source: Path, tmp_path: Path) -> None:
    reel = reel_of(*[rp.Clip(source=source, start=0, end=10)] * 3)
    folder = tmp_path / "job"
    first = render(reel, tmp_path / "a.mp4", folder=folder)
    segments = sorted((folder / "segments").glob("*.mp4"))
    assert len(segments) == 3 - 2  # three times the same ten seconds are one segment
    stamp = segments[0].stat().st_mtime_ns
    events: list[Progress] = []
    second = render(reel, tmp_path / "b.mp4", folder=folder, progress=events.append)
    assert segments[0].stat().st_mtime_ns == stamp
    assert pictures(first.output) == pictures(second.output)
    assert [e.done for e in events if e.phase == "render"][0] == 900


def test_progress_counts_up_to_the_planned_frames(source: Path, tmp_path: Path) -> None:
    events: list[Progress] = []
    render(reel_of(rp.Clip(source=source, start=0, end=4)), tmp_path / "o.mp4", progress=events.append)
    done = [e.done for e in events if e.phase == "render"]
    assert done == sorted(done)
    assert done[-1] == 120
    assert events[-1].phase == "done"


def test_cancelling_stops_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    cancelled = threading.Event()
    context = JobContext(cancelled=cancelled, progress=lambda e: cancelled.set() if e.phase == "render" else None)
    with pytest.raises(rp.JobCancelledError):
        run_job(rp.RenderJob(reel=reel_of(rp.Clip(source=source)), output=str(tmp_path / "o.mp4")), context)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fault", ["stage", "sound"])
def test_a_fault_in_the_middle_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise rp.DecodeError("as if")

    target = "reelproc.render.range_renderer.mix" if fault == "stage" else "reelproc.media.sound.mixing.render_sound"
    monkeypatch.setattr(target, explode)
    concat = rp.Concat(transition="dissolve", duration=0.5)
    clips = [rp.Clip(source=source, start=0, end=2), rp.Clip(source=source, start=2, end=4)]
    with pytest.raises(rp.DecodeError, match="as if"):
        render(reel_of(*clips, concat=concat, audio=True), tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_the_sound_ends_the_picture_at_its_next_frame(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    sounds: list[ReelSound] = []
    failed = threading.Event()
    write = VideoWriter.write

    def explode(*_: object, **__: object) -> None:
        failed.set()
        raise rp.DecodeError("as if")

    class Watched(ReelSound):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            sounds.append(self)

    def counted(self: VideoWriter, frame: rp.Frame) -> None:
        assert failed.wait(LONG)
        assert eventually(sounds[0]._work.done)
        written.append(frame.pts)
        write(self, frame)

    monkeypatch.setattr("reelproc.media.sound.mixing.render_sound", explode)
    monkeypatch.setattr("reelproc.render.rendering.ReelSound", Watched)
    monkeypatch.setattr(VideoWriter, "write", counted)
    with pytest.raises(rp.DecodeError, match="as if"):
        render(reel_of(rp.Clip(source=source), audio=True), tmp_path / "o.mp4")
    assert len(written) <= 3
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_the_picture_stops_the_sound(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()

    def endless(*_: object, cancelled: Callable[[], None], **__: object) -> None:
        try:
            while True:
                cancelled()
                time.sleep(0.01)
        except rp.JobCancelledError:
            stopped.set()
            raise

    def explode(*_: object) -> None:
        raise rp.EncodeError("as if")

    monkeypatch.setattr("reelproc.media.sound.mixing.render_sound", endless)
    monkeypatch.setattr(VideoWriter, "write", explode)
    with pytest.raises(rp.EncodeError, match="as if"):
        render(reel_of(rp.Clip(source=source), audio=True), tmp_path / "o.mp4")
    assert stopped.is_set()
    assert list(tmp_path.iterdir()) == []


def test_damage_is_an_error_unless_it_is_to_be_concealed(footage: Path, tmp_path: Path) -> None:
    clip = rp.Clip(source=footage / "sample_with_invalid_nalu.mp4")
    reel = rp.Reel(
        clips=[clip], output=rp.Output(width=None, height=None, preset="ultrafast", fps="30000/1001", audio=False)
    )
    with pytest.raises(rp.DecodeError, match="on_damage='conceal'"):
        render(reel, tmp_path / "o.mp4")
    assert list(tmp_path.iterdir()) == []
    result = render(reel, tmp_path / "o.mp4", on_damage="conceal")
    assert result.frame_count == 30
    assert any("1 source frames" in warning for warning in result.warnings)
    with av.open(result.output) as container:
        assert sum(1 for _ in container.decode(video=0)) == 30


def test_the_output_may_not_be_a_source(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / "game.mp4"
    copy.write_bytes(source.read_bytes())
    with pytest.raises(rp.SpecError, match="is a source of the job"):
        render(reel_of(rp.Clip(source=copy)), copy)
    assert copy.read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["reel.gif", "reel", "reel.webm"])
def test_an_unknown_container_is_refused(source: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(rp.SpecError, match="must end in"):
        render(reel_of(rp.Clip(source=source)), tmp_path / name)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_every_container_holds_the_same_frames(source: Path, tmp_path: Path, suffix: str) -> None:
    result = render(reel_of(rp.Clip(source=source, start=1, end=2)), tmp_path / f"o{suffix}")
    assert numbers(result.output) == list(range(30, 60))


def test_an_odd_source_loses_its_odd_line_and_says_so(footage: Path, tmp_path: Path) -> None:
    reel = rp.Reel(
        clips=[rp.Clip(source=footage / "bear-vp9-odd-dimensions.webm")],
        output=rp.Output(width=None, height=None, preset="ultrafast", audio=False),
    )
    result = render(reel, tmp_path / "o.mp4")
    assert (result.width, result.height) == (160, 120)
    assert "161x121" in result.warnings[0]


def test_extract_is_exact_to_the_frame(source: Path, tmp_path: Path) -> None:
    result = run_job(rp.ExtractJob(source=source, output=tmp_path / "o.mp4", start=1.5, end=2.5))
    assert numbers(result.output) == list(range(45, 75))
    assert not result.copied  # type: ignore[union-attr]


def test_a_copy_says_what_it_really_cut(source: Path, tmp_path: Path) -> None:
    """The original's ``-c copy`` cut between key frames and claimed otherwise."""
    result = run_job(rp.ExtractJob(source=source, output=tmp_path / "o.mp4", start=1.55, end=2.5, copy_codec=True))
    found = numbers(result.output)
    assert isinstance(result, rp.ExtractResult)
    assert result.copied
    assert result.start_seconds == pytest.approx(found[0] / 30)
    assert found[0] < 46
    assert set(range(46, 75)) <= set(found)
    assert len(found) == result.frame_count
    assert found == list(range(found[0], found[0] + len(found)))  # no hole behind the wanted end
    assert "key frame" in result.warnings[0]


def test_a_copys_sound_reaches_its_end(footage: Path, tmp_path: Path) -> None:
    result = run_job(rp.ExtractJob(source=footage / "edts.mp4", output=tmp_path / "o.mp4", end=4, copy_codec=True))
    with av.open(result.output) as container:
        sound, picture = container.streams.audio[0], container.streams.video[0]
        ends = [float(s.duration * s.time_base) for s in (sound, picture)]  # type: ignore[operator]
    assert abs(ends[0] - ends[1]) < 0.1
    assert ends[1] == pytest.approx(result.duration_seconds, abs=0.05)


@pytest.fixture
def kill_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Kill the encoder's ffmpeg once so many frames were written."""

    def arm(after: int) -> None:
        real = VideoWriter.write

        def write(self: VideoWriter, frame: rp.Frame) -> None:
            if self.frame_count == after:
                os.kill(self._process.pid, 9)
            real(self, frame)

        monkeypatch.setattr(VideoWriter, "write", write)

    return arm


def test_a_killed_encoder_is_an_error_and_a_second_run_completes(
    source: Path, tmp_path: Path, kill_ffmpeg: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reel = reel_of(rp.Clip(source=source))
    kill_ffmpeg(100)
    with pytest.raises(rp.EncodeError):
        render(reel, tmp_path / "o.mp4", folder=tmp_path / "job")
    assert not (tmp_path / "o.mp4").exists()
    monkeypatch.undo()
    result = render(reel, tmp_path / "o.mp4", folder=tmp_path / "job")
    assert numbers(result.output) == list(range(300))


def test_rendering_a_file_from_a_fresh_process_works_with_relative_paths(source: Path, tmp_path: Path) -> None:
    (tmp_path / "game.mp4").write_bytes(source.read_bytes())
    code = (
        "import reelproc as rp; from reelproc.jobs import run_job;"
        "r = rp.Reel(clips=[rp.Clip(source='game.mp4', end=1)], output=rp.Output(width=64, height=36, audio=False));"
        "print(run_job(rp.RenderJob(reel=r, output='o.mp4')).frame_count)"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert out.strip() == "30"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["game.mp4", "o.mp4"]
