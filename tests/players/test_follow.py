"""Following, from a video to a reel, without a network: the detector finds coloured boxes."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import reelproc as rp
from people_factory import BlobDetector, Person, people_video
from reelproc.cli import app
from reelproc.errors import SpecError
from reelproc.jobs import run_job
from reelproc.keyframes import Curve
from reelproc.players.result import FollowResult
from reelproc.reel_file import read_reel
from reelproc.testing import MockExecutor

RED = Person(lambda t: 60 + 55 * t, lambda t: 200 + 8 * t, height=60, colour="#c02020")
HIDDEN = Person(lambda t: 560 - 50 * t, lambda t: 120, height=60, colour="#20a0c0", seen=lambda t: not 3 < t < 4)
GONE = Person(lambda t: 300, lambda t: 60, height=50, colour="#c0c020", seen=lambda t: t < 4)
PEOPLE = (RED, HIDDEN, GONE)


pytestmark = pytest.mark.usefixtures("blobs")


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds, ten frames a second, of three people."""
    return people_video(tmp_path_factory.mktemp("game") / "game.mp4", PEOPLE, seconds=8)


def follow(game: Path, **options: Any) -> FollowResult:
    return rp.follow_player(game, **{"backend": "blobs", "model": "blobs", "image_size": 640, **options})


def window_at(result: FollowResult, time: float) -> tuple[float, float, float, float]:
    track = Curve([k.time for k in result.crop], [(k.x, k.y, k.width, k.height) for k in result.crop])
    x, y, width, height = track.at(time - result.start).tolist()
    return x, y, x + width, y + height


def test_a_player_is_inside_the_crop_at_every_moment(game: Path) -> None:
    result = follow(game, at=4, point=(280, 232), start=1, end=7.5)
    assert (result.start, result.end) == (1, 7.5)
    assert result.warnings == ()
    assert result.lost == result.outside == ()
    for k in range(10, 76):
        left, top, right, bottom = RED.at(k / 10).corners
        window = window_at(result, k / 10)
        assert window[0] <= left
        assert window[1] <= top
        assert right <= window[2]
        assert bottom <= window[3]
    assert result.crop[0].height == pytest.approx(60 / 0.35, rel=0.03)
    assert result.crop[0].width / result.crop[0].height == pytest.approx(9 / 16, rel=1e-3)


def test_each_frame_is_looked_at_once_and_another_player_costs_no_look(game: Path, blobs: BlobDetector) -> None:
    first = follow(game, at=2, point=(170, 216))
    assert blobs.images == 51
    assert (first.start, first.end) == (0, 5)
    second = follow(game, at=2, point=(460, 120), detections=first.detections)
    assert blobs.images == 51
    assert second.sightings[0].detection.x > first.sightings[0].detection.x
    with pytest.raises(SpecError, match="leave them out"):
        follow(game, at=7.5, point=(460, 120), detections=first.detections)
    with pytest.raises(SpecError, match=r"other\.mp4"):
        rp.follow_player(
            game, at=2, point=(1, 1), detections=first.detections.model_copy(update={"source": "other.mp4"})
        )


def test_a_box_marks_a_player_as_a_point_does(game: Path) -> None:
    by_point = follow(game, at=2, point=(170, 216))
    by_box = follow(game, at=2, box=(150, 180, 190, 250), detections=by_point.detections)
    assert by_box.crop == by_point.crop


def test_who_is_hidden_is_bridged_and_it_is_said(game: Path) -> None:
    result = follow(game, at=1, point=(510, 120), start=0, end=7)
    (gap,) = result.lost
    assert (gap.start, gap.end, gap.reason) == (3.0, 4.0, None)
    assert "hidden from 3.00 to 4.00 s" in result.warnings[0]
    assert result.sightings[-1].time == pytest.approx(7.0)
    assert len(result.regions) == 2, "no spotlight on somebody who cannot be seen"
    left, _, right, _ = window_at(result, 3.5)
    assert left < HIDDEN.x(3.5) < right


def test_who_is_lost_is_lost_and_the_crop_stands_still(game: Path) -> None:
    result = follow(game, at=1, point=(300, 60), start=0, end=7)
    (span,) = result.lost
    assert (span.start, span.end, span.reason) == (3.9, 7.0, "not seen")
    assert "lost from 3.90 to 7.00 s (not seen)" in result.warnings[0]
    assert window_at(result, 7.0) == pytest.approx(window_at(result, 4.5), abs=1)
    (region,) = result.regions
    assert region.end_time == pytest.approx(3.95)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"aspect": -1}, "aspect: expected a value greater than or equal to 0.02"),
        ({"player_height": 2}, r"less than or equal to 1 \(got 2\)"),
        ({"smoothing": 1e8}, "smoothing: expected a value less than or equal to 100"),
        ({"max_speed": 1e-6}, "max_speed: expected a value greater than or equal to 0.01"),
        ({"max_acceleration": float("inf")}, "max_acceleration: expected a finite number"),
    ],
)
def test_a_framing_that_makes_no_sense_is_a_spec_error(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        rp.Framing(**fields)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at": 1}, "neither"),
        ({"at": 1, "point": (1, 1), "box": (0, 0, 2, 2)}, "both"),
        ({"point": (1, 1)}, "when"),
        ({"at": 1, "box": (5, 5, 2, 9)}, "left < right"),
        ({"at": 1, "point": (float("nan"), 1)}, "finite"),
        ({"at": 1, "point": (1, 1), "start": 2, "end": 3}, "start <= at <= end"),
        ({"at": 1, "point": (1, 1), "rate": 0}, "rate"),
        ({"at": 1, "point": (1, 1), "imag_size": 640}, "did you mean 'image_size'"),
        ({"at": 1, "point": (1, 1), "end": float("inf")}, "start <= at <= end"),
        ({"at": 1, "point": (1, 1), "start": 1, "end": 1.0000001}, "start < end"),
        ({"at": 1, "box": (1, 1, 2)}, r"a point is \(x, y\)"),
        ({"at": 1, "point": (20, 20)}, r"nobody was found at \(20, 20\)"),
        ({"at": 1, "point": (115, 208), "end": 99}, "ends at 8"),
    ],
)
def test_what_makes_no_sense_is_a_spec_error(game: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        follow(game, **options)


def test_nobody_there_lists_who_is(game: Path) -> None:
    with pytest.raises(SpecError, match=r"found there: .*\(115, 208\)"):
        follow(game, at=1, point=(20, 20))


def test_the_result_survives_json_and_makes_a_reel(game: Path) -> None:
    result = follow(game, at=4, point=(280, 232), start=3, end=5)
    assert FollowResult.model_validate_json(result.model_dump_json()) == result
    assert result.highlights == result.regions[0].keyframes
    reel = result.reel(opacity=0.3)
    assert [type(s) for s in reel.clips[0].stages] == [rp.Crop, rp.Upscale, rp.Overlay]
    assert (reel.output.width, reel.output.height) == (810, 1440)
    assert rp.plan(reel).frame_count == 60
    assert len(result.reel(opacity=None).clips[0].stages) == 2
    assert result.reel(rp.Output(width=90, height=160)).clips[0].stages[1].width == 90  # type: ignore[union-attr]
    with pytest.raises(SpecError, match="size"):
        result.reel(rp.Output(width=None, height=None))


def test_the_spotlight_behind_the_crop_is_where_the_one_before_it_was(game: Path) -> None:
    result = follow(game, at=4, point=(280, 232), start=3, end=5)
    scaled = result.spotlight(810, 1440)
    for before, behind in zip(result.regions[0].keyframes, scaled[0].keyframes, strict=True):
        left, top, right, bottom = window_at(result, result.start + before.time)
        assert left + behind.x / 810 * (right - left) == pytest.approx(before.x, abs=0.05)
        assert top + behind.y / 1440 * (bottom - top) == pytest.approx(before.y, abs=0.05)
        assert behind.radius_y / 1440 * (bottom - top) == pytest.approx(before.radius_y, abs=0.05)
    with pytest.raises(SpecError, match="positive"):
        result.spotlight(0, 10)


def test_pixels_that_are_not_square_are_minded(tmp_path: Path) -> None:
    game = people_video(tmp_path / "game.mp4", [RED], seconds=2, sample_aspect_ratio=Fraction(2))
    result = follow(game, at=1, point=(115, 208), framing=rp.Framing(aspect=1.0))
    assert result.crop[0].width * 2 == pytest.approx(result.crop[0].height, abs=0.01)
    assert result.reel().output.width == 1440
    spot = result.regions[0].keyframes[0]
    assert spot.radius_x * 2 / spot.radius_y == pytest.approx(0.45 / 0.65, rel=0.01)


def test_earlier_detections_of_less_are_said_to_be_of_less(game: Path) -> None:
    earlier = follow(game, at=1, point=(115, 208), start=0, end=3).detections
    result = follow(game, at=1, point=(115, 208), start=0, end=7, detections=earlier)
    assert [(span.start, span.end, span.reason) for span in result.lost] == [(3, 7, "not looked at")]
    assert result.warnings == ("the detections hold nothing from 3.00 to 7.00 s; leave them out, or follow less",)
    assert follow(game, at=1, point=(115, 208), start=0, end=3, detections=earlier).warnings == ()


@pytest.mark.parametrize("times", [(1, 5), (1, 5, 5.1), (1, 1.1, 5)])
def test_a_hole_between_few_looks_is_none_the_less_one(game: Path, times: tuple[float, ...]) -> None:
    whole = follow(game, at=1, point=(115, 208), start=0, end=7).detections
    few = tuple(frame for frame in whole.frames if round(frame.time, 3) in times)
    assert len(few) == len(times)
    earlier = whole.model_copy(update={"frames": few})
    result = follow(game, at=1, point=(115, 208), start=times[0], end=times[-1], detections=earlier)
    holes = [(span.start, span.end) for span in result.lost if span.reason == "not looked at"]
    assert holes == [(one, two) for one, two in pairwise(times) if two - one > 1]
    assert any("hold nothing" in warning for warning in result.warnings)


# ---- the command line


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command line in this process, where jobs are done at once."""
    monkeypatch.setattr(rp, "executor", lambda name: MockExecutor(results=run_job))
    return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])


def test_follow_writes_a_reel_that_renders(game: Path, tmp_path: Path, command: Any) -> None:
    out = tmp_path / "reel.json"
    options = ("--backend", "blobs", "--image-size", "640", "--start", "3", "--end", "5")
    ran = command("follow", game, "--at", "4", "--point", "280,232", *options, "--out", out)
    assert ran.exit_code == 0, ran.output
    assert f"reelproc render {out}" in ran.output
    reel = read_reel(out)
    assert Path(reel.clips[0].source).resolve() == game
    ran = command("follow", game, "--at", "4", "--box", "262,200,298,264", *options, "--out", out, "--json", "--force")
    assert FollowResult.model_validate_json(ran.stdout).start == 3
    assert read_reel(out) == reel


def test_a_reels_relative_source_is_found_from_the_reel(
    game: Path, tmp_path: Path, command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(game.parent)
    (game.parent / "reels").mkdir()
    options = ("--backend", "blobs", "--image-size", "640", "--start", "4", "--end", "5", "--out", "reels/reel.json")
    assert command("follow", "game.mp4", "--at", "4", "--point", "280,232", *options).exit_code == 0
    assert json.loads(Path("reels/reel.json").read_text())["clips"][0]["source"] == "../game.mp4"
    assert rp.plan(read_reel("reels/reel.json")).frame_count == 30


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--point", "1"), "X,Y"),
        (("--point", "a,b"), "numbers"),
        (("--box", "1,2,3"), "L,T,R,B"),
        (("--point", "280,232", "--aspect", "0:1"), "shape"),
        (("--point", "20,20"), "nobody was found"),
        ((), "neither"),
    ],
)
def test_bad_input_is_a_message_and_2(game: Path, command: Any, arguments: tuple[str, ...], words: str) -> None:
    ran = command("follow", game, "--at", "4", "--backend", "blobs", *arguments)
    assert ran.exit_code == 2
    assert words in ran.stderr


def test_detect_lists_and_draws(game: Path, tmp_path: Path, command: Any) -> None:
    ran = command("detect", game, "--time", "1", "--backend", "blobs", "--out", tmp_path / "found.png")
    assert ran.exit_code == 0, ran.output
    assert "1.000 s: 3 found" in ran.output
    assert "person 0.90 at 510,120, 24x60, wears #" in ran.output
    assert (tmp_path / "found.png").is_file()
    ran = command("detect", game, "--time", "1", "--time", "2", "--backend", "blobs", "--json")
    assert [f["time"] for f in json.loads(ran.stdout)["frames"]] == [1.0, 2.0]
    ran = command("detect", game, "--time", "1", "--backend", "blobs", "--confidence", "0.95")
    assert "nobody" in ran.output


def test_attach_says_who_was_found(game: Path, command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = rp.DetectJob(source=game, times=[1.0], backend="blobs", model="blobs")
    for flags in ([], ["--json"]):
        ex = MockExecutor(results=run_job)
        ex.submit(job, id="d")
        monkeypatch.setattr(rp, "executor", lambda name, ex=ex: ex)
        ran = command("attach", "d", *flags)
        assert ran.exit_code == 0, ran.output
        assert ("1.000 s: 3 found" in ran.output) is not bool(flags)
    assert len(json.loads(ran.stdout)["frames"][0]["detections"]) == 3


def test_what_was_followed_on_a_proxy_is_rendered_from_the_original(game: Path, tmp_path: Path) -> None:
    original = people_video(tmp_path / "original.mp4", PEOPLE, seconds=8, width=1280, height=720)
    result = follow(game, at=4, point=(280, 232), start=1, end=7.5)
    proxy = result.clip(90, 160)
    plans = [
        rp.plan(rp.Reel(clips=[clip], output=rp.Output(width=90, height=160)), strict=True)
        for clip in (proxy, proxy.replace(source=original))
    ]
    small, large = (plan.clips[0] for plan in plans)
    assert large.streams[0].width == 2 * small.streams[0].width
    crops = [clip.stages[0].window_at(clip.streams[0], clip.target)(3.0) for clip in (small, large)]  # type: ignore[union-attr]
    assert crops[1] == pytest.approx([2 * side for side in crops[0]])
    assert [plan.warnings for plan in plans] == [(), ()]
