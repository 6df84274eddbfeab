"""The experiments' footage and scenarios."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from reelproc.errors import SpecError
from reelproc.jobs import run_job
from reelproc_lab import dataset
from reelproc_lab.dataset import SCENARIOS, match_clip, scenario


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """23 s: there, back, and a rest."""
    return match_clip(tmp_path_factory.mktemp("footage"), 23, 160, 90)


def test_the_clip_has_exactly_the_frames_and_the_sound_that_were_asked_for(clip: Path) -> None:
    info = rp.probe(clip, exact=True)
    assert info.video is not None
    assert info.audio is not None
    assert (info.frame_count, float(info.duration), info.video.average_rate) == (690, 23.0, 30)
    assert (info.video.width, info.video.height, info.audio.channels) == (160, 90, 2)
    assert abs(float(info.audio.duration or 0) - 23.0) < 0.03


def test_its_times_are_even_through_the_joins(clip: Path) -> None:
    with rp.open_video(clip) as reader:
        times = [frame.time for frame in reader]
    assert np.allclose(np.diff(times), 1 / 30, atol=2e-4)


def test_no_two_neighbouring_frames_are_alike_and_the_camera_never_jumps(clip: Path) -> None:
    with rp.open_video(clip, pix_fmt="yuv420p") as reader:
        lumas = np.stack([frame.planes[0] for frame in reader]).astype(np.int16)
    change = np.abs(np.diff(lumas, axis=0)).mean((1, 2))
    assert change.min() > 0
    joins = [299, 599]  # where it turns round
    assert max(change[join] for join in joins) < 1.5 * np.median(change)


def test_it_is_drawn_once(clip: Path) -> None:
    before = clip.stat()
    assert match_clip(clip.parent, 23, 160, 90) == clip
    assert (clip.stat().st_ino, clip.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [p.name for p in clip.parent.iterdir()] == [clip.name]


@pytest.mark.parametrize("bad", [{"seconds": 0.0}, {"seconds": float("nan")}, {"width": 161}, {"height": 8}])
def test_an_impossible_clip_is_refused(tmp_path: Path, bad: dict[str, float]) -> None:
    with pytest.raises(SpecError, match="footage has"):
        match_clip(tmp_path, **({"seconds": 1.0, "width": 160, "height": 90} | bad))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_scenarios_expect_these_calls() -> None:
    calls = {name: scenario(name, "game.mp4").functions for name in SCENARIOS}
    assert calls == {
        "S1": ("process_framing_ai", "render_overlay"),
        "S2": ("process_framing_ai", "render_overlay"),
        "S3": ("process_multi_clip_modal",),
        "S4": ("process_multi_clip_modal",),
    }


@pytest.mark.parametrize(
    ("name", "seconds", "clips"), [("S1", 6.0, 1), ("S2", 30.0, 1), ("S3", 16.5, 3), ("S4", 125.0, 10)]
)
def test_the_scenarios_last_so_long(name: str, seconds: float, clips: int) -> None:
    found = scenario(name, "game.mp4")
    spans = [(c.end or 0.0) - c.start for c in found.reel.clips]
    assert (sum(spans), len(spans)) == (seconds, clips)
    assert all(0 <= c.start < (c.end or 0.0) <= 90 for c in found.reel.clips)


def test_a_later_call_reads_what_an_earlier_one_wrote(tmp_path: Path) -> None:
    framing, overlay = scenario("S1", "game.mp4", folder=tmp_path).calls
    assert [clip.source for clip in overlay.reel.clips] == [framing.output]
    assert Path(framing.output).parent == tmp_path


def test_calls_one_by_one_show_what_the_scenario_shows_in_one_job(tmp_path: Path) -> None:
    source = match_clip(tmp_path, 4.5, 1920, 1080)  # the call begins at 3 and is cut at 4.2
    found = scenario("S1", source, model="area", folder=tmp_path)
    for reel, output in [*((call.reel, call.output) for call in found.calls), (found.reel, str(tmp_path / "one.mp4"))]:
        clip = reel.clips[0].model_copy(update={"end": reel.clips[0].start + 1.2})  # the highlight begins at 1
        run_job(rp.RenderJob(reel=reel.model_copy(update={"clips": (clip,)}), output=output))
    with av.open(str(tmp_path / "one.mp4")) as one, av.open(found.calls[-1].output) as two:
        pairs = list(zip(one.decode(video=0), two.decode(video=0), strict=True))
    errors = [np.mean((a.to_ndarray(format="gray").astype(float) - b.to_ndarray(format="gray")) ** 2) for a, b in pairs]
    assert len(errors) == 36
    assert 10 * np.log10(255**2 / max(errors)) > 35


def test_there_is_no_fifth_scenario() -> None:
    with pytest.raises(SpecError, match="no scenario 'S5'; there are: S1, S2, S3, S4"):
        scenario("S5", "game.mp4")


def test_the_annotations_lie_within_the_clip() -> None:
    assert all(0 <= a.start_time < a.end_time <= 90 for a in dataset.annotations())
