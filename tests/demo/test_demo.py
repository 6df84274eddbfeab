"""``reelproc demo``: its match and its reel, measured with PyAV; and reels of made footage of all kinds."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import pytest
from PIL import Image

from media_factory import numbered_video, tone
from reelproc.demo.run import DemoResult, make_demo
from reelproc.errors import SpecError
from reelproc.reel_file import read_reel
from reelproc.results import Progress


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path_factory.mktemp("home")))


def pictures(path: str | Path) -> list[float]:
    """When each frame is shown, seconds."""
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def sound_end(path: str | Path) -> Fraction:
    """When the sound ends, its padding left out."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        end = max(Fraction(p.pts + p.duration) * stream.time_base for p in container.demux(stream) if p.size)
        return min(end, Fraction(stream.duration) * stream.time_base)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoResult, list[Progress]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REELPROC_HOME", str(tmp_path_factory.mktemp("home")))
        events: list[Progress] = []
        return make_demo(tmp_path_factory.mktemp("demo"), progress=events.append), events


@pytest.mark.slow
def test_the_match_has_ten_seconds_of_picture_and_sound(made: tuple[DemoResult, list[Progress]]) -> None:
    result, _ = made
    assert result.match is not None
    times = pictures(result.match)
    assert times == pytest.approx([n / 30 for n in range(300)], abs=1e-4)
    assert float(sound_end(result.match)) == pytest.approx(10.0, abs=1 / 30)
    with av.open(result.match) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (1920, 1080)
        assert stream.codec_context.color_range == 1, "limited"


@pytest.mark.slow
def test_the_reel_holds_the_planned_frames_and_sound_ends_with_them(made: tuple[DemoResult, list[Progress]]) -> None:
    result, _ = made
    times = pictures(result.reel)
    assert len(times) == result.render.frame_count == 246
    assert times == pytest.approx([n / 30 for n in range(246)], abs=1e-4)
    assert abs(float(sound_end(result.reel)) - 246 / 30) <= 1 / 30
    assert (result.render.width, result.render.height) == (810, 1440)
    assert result.render.warnings == ()


@pytest.mark.slow
def test_the_spotlight_dims_and_the_banner_is_bright(made: tuple[DemoResult, list[Progress]]) -> None:
    result, _ = made
    second = result.render.clips[1]
    with av.open(result.reel) as container:
        luma = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    spot = luma[second.first_frame + second.frame_count // 2]
    plain = luma[result.render.clips[0].frame_count // 2]
    assert spot[1000:, :].mean() < 0.75 * plain[1000:, :].mean()
    assert luma[-20][20:60, 200:600].mean() > 180


@pytest.mark.slow
def test_nothing_but_the_four_files_is_left_and_the_reel_can_be_rendered_again(
    made: tuple[DemoResult, list[Progress]],
) -> None:
    result, _ = made
    folder = Path(result.folder)
    assert sorted(p.name for p in folder.iterdir()) == ["contact-sheet.png", "match.mp4", "reel.json", "reel.mp4"]
    assert '"source": "match.mp4"' in Path(result.reel_json).read_text()
    assert {clip.source for clip in read_reel(result.reel_json).clips} == {str(folder / "match.mp4")}
    with Image.open(result.sheet) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 6 * 200


@pytest.mark.slow
def test_progress_reaches_every_phase_and_its_end(made: tuple[DemoResult, list[Progress]]) -> None:
    _, events = made
    phases = [phase for phase, _ in itertools.groupby(event.phase for event in events)]
    assert "render" in phases
    assert phases[-2:] == ["sheet", "done"]
    assert phases.count("done") == 1
    rendered = [event.done for event in events if event.phase == "render"]
    assert rendered == sorted(rendered)
    assert rendered[-1] == 246


@pytest.mark.parametrize(
    ("frame_count", "fps", "width", "height", "loud", "rotation"),
    [(15, 30, 192, 108, False, 0), (60, 25, 108, 192, True, 0), (90, Fraction(30000, 1001), 320, 240, True, 90)],
)
def test_any_footage_makes_a_reel(
    tmp_path: Path, frame_count: int, fps: Fraction, width: int, height: int, loud: bool, rotation: int
) -> None:
    footage = numbered_video(
        tmp_path / "my game.mp4",
        frame_count=frame_count,
        fps=fps,
        width=width,
        height=height,
        rotation=rotation,
        sound=tone(frame_count / float(fps)) if loud else None,
    )
    result = make_demo(tmp_path / "out", source=footage.path)
    assert result.match is None
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["contact-sheet.png", "reel.json", "reel.mp4"]
    assert len(result.render.clips) == 3
    stages = [stage.stage for clip in read_reel(result.reel_json).clips for stage in clip.stages]
    assert stages == ["crop", "upscale", "crop", "speed", "upscale", "crop", "upscale", "banner"]  # no spotlight
    assert len(pictures(result.reel)) == result.render.frame_count
    assert '"../my game.mp4"' in Path(result.reel_json).read_text()
    assert abs(float(sound_end(result.reel)) - result.render.frame_count / 30) <= 1 / 30


def test_footage_that_is_too_short_is_refused_before_anything_is_rendered(tmp_path: Path) -> None:
    footage = numbered_video(tmp_path / "blink.mp4", frame_count=6)
    with pytest.raises(SpecError, match="at least"):
        make_demo(tmp_path / "out", source=footage.path)
    assert not (tmp_path / "out").exists()
