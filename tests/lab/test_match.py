"""The drawn match: equal by seed, plausible in motion, and exact about where its hero is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from reelproc.demo.reel import footage_reel, match_reel
from reelproc.errors import ProbeError, SpecError
from reelproc.keyframes import Curve
from reelproc.media.info import MediaInfo, VideoStream
from reelproc.pixels.frame import Frame
from reelproc.render.contact_sheet import timecode
from reelproc_lab.match import ball, players, skeleton
from reelproc_lab.match.camera import Camera
from reelproc_lab.match.film import FPS, Match
from reelproc_lab.match.pitch import GOAL_HEIGHT, GOAL_Y, LENGTH
from reelproc_lab.match.script import GOAL_TIME, HERO
from reelproc_lab.match.sound import RATE, soundtrack
from reelproc_lab.match.story import tell


@pytest.fixture(scope="module")
def match() -> Match:
    return Match(seed=0)


def drawn(match: Match, n: int) -> Frame:
    frame = Frame.empty(match.width, match.height, "yuv420p")
    match.draw(n, frame)
    return frame


def test_a_seed_tells_one_story_and_another_seed_another() -> None:
    one, same, other = (tell(seed=s, fps=FPS) for s in (3, 3, 4))
    assert np.array_equal(one.places, same.places)
    assert not np.array_equal(one.places, other.places)


def test_a_seed_draws_the_same_pictures_again(match: Match) -> None:
    assert np.array_equal(drawn(match, 200).data, drawn(Match(seed=0), 200).data)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nobody_runs_faster_than_a_footballer_or_turns_on_the_spot(seed: int) -> None:
    story = tell(seed=seed, fps=FPS)
    assert story.speed.max() < 9.5
    acceleration = np.diff(np.diff(story.places, axis=0) * FPS, axis=0) * FPS
    assert np.hypot(acceleration[..., 0], acceleration[..., 1]).max() < 30


def test_the_ball_ends_in_the_goal() -> None:
    story = tell(seed=0, fps=FPS)
    before, after = (int((GOAL_TIME + d) * FPS) for d in (-0.1, 0.1))
    assert story.ball[before, 0] < LENGTH < story.ball[after, 0]
    assert abs(story.ball[after, 1] - GOAL_Y) < 3.66
    assert 0 < story.ball[after, 2] < GOAL_HEIGHT


def test_the_ball_never_jumps() -> None:
    story = tell(seed=0, fps=FPS)
    assert np.linalg.norm(np.diff(story.ball, axis=0), axis=1).max() * FPS < 35  # a hard shot, metres per second


def test_limbs_keep_their_length(match: Match) -> None:
    for n in range(0, match.frame_count, 17):
        body = skeleton.joints(match.story, n)
        for a, b, length in (
            (skeleton.HIP_L, skeleton.KNEE_L, 0.44),
            (skeleton.KNEE_R, skeleton.ANKLE_R, 0.43),
            (skeleton.ELBOW_L, skeleton.SHOULDER_L, 0.29),
        ):
            measured = np.linalg.norm(body[:, a] - body[:, b], axis=-1)
            assert measured == pytest.approx(length, abs=0.02)


def test_feet_stay_above_the_grass(match: Match) -> None:
    for n in range(0, match.frame_count, 13):
        assert skeleton.joints(match.story, n)[..., 2].min() > -0.35  # a diver's arm may dip into it


def test_the_track_is_where_the_hero_is_painted(match: Match) -> None:
    """Painting him alone changes the frame only within his outline and his shadow, and fills it."""
    n = 160
    frame = drawn(match, n)
    before = frame.planes[0].copy()
    body = skeleton.joints(match.story, n)[HERO]
    look = players.Look(players.Kit("#ff00ff", "#ff00ff", "#ff00ff", "#ff00ff"), "#ff00ff", "#ff00ff", "#ff00ff", 10)
    clear = Frame.empty(frame.width, frame.height, "yuv420p")
    clear.planes[0][:], clear.planes[1][:], clear.planes[2][:] = before, 128, 128
    players.draw_player(clear, match.camera(n), body, float(match.story.facing[n, HERO]), look)
    magenta = (clear.planes[1] > 150) & (clear.planes[2] > 150)
    rows, columns = np.nonzero(magenta)
    seen = match.track[n]
    assert 2 * columns.mean() == pytest.approx(seen.x, abs=0.3 * seen.width)
    assert 2 * columns.min() >= seen.x - seen.width / 2 - 3
    assert 2 * columns.max() <= seen.x + seen.width / 2 + 3
    assert 2 * rows.min() >= seen.y - seen.height / 2 - 3
    assert 2 * rows.max() <= seen.y + seen.height / 2 + 3
    assert 2 * (rows.max() - rows.min()) > 0.8 * seen.height


def test_the_hero_stays_in_the_picture_and_moves_smoothly(match: Match) -> None:
    for sighting in match.track:
        assert sighting.width / 2 < sighting.x < match.width - sighting.width / 2
        assert sighting.height / 2 < sighting.y < match.height - sighting.height / 2
    for one, two in itertools.pairwise(match.track):
        assert abs(two.x - one.x) < 40


def test_the_camera_pans(match: Match) -> None:
    yaws = [match.camera(n).yaw for n in range(match.frame_count)]
    assert max(yaws) - min(yaws) > 0.4


def test_a_picture_shows_grass_crowd_and_two_kits(match: Match) -> None:
    frame = drawn(match, 150)
    luma, blue, red = frame.planes
    grass = (np.abs(blue.astype(int) - 90) < 25) & (np.abs(red.astype(int) - 95) < 25)
    assert grass.mean() > 0.5
    assert ((red > 190) & (blue < 128)).sum() > 200, "red shirts"
    assert ((blue > 165) & (red < 120)).sum() > 200, "blue shirts"
    assert luma.min() >= 16
    assert luma.max() <= 235


def test_the_crowd_does_not_sit_still(match: Match) -> None:
    camera = match.camera(0)
    one, two = (Frame.empty(match.width, match.height, "yuv420p") for _ in range(2))
    match.stadium.view(camera, one, 0, excited=True)
    match.stadium.view(camera, two, 9, excited=True)
    changed = one.planes[0] != two.planes[0]
    assert changed[:100].mean() > 0.2
    assert not changed[600:].any()


def test_a_homography_takes_a_point_where_projection_does() -> None:
    one = Camera((80, -17, 12.5), 0.1, 0.25, 3000, 1920, 1080)
    two = Camera((80, -17, 12.5), -0.2, 0.3, 2500, 4000, 1600)
    point = np.array([90.0, 30.0, 1.0])
    x, y, _ = one.project(point)
    there = one.homography_to(two) @ [x, y, 1]
    assert there[:2] / there[2] == pytest.approx(two.project(point)[:2], abs=1e-6)


def test_what_is_out_of_the_picture_is_not_painted(match: Match) -> None:
    frame = drawn(match, 0)
    before = frame.data.copy()
    camera = match.camera(0)
    ball.draw_ball(frame, camera, np.array([104.0, 60.0, 0.14]), 0.0)
    assert np.array_equal(frame.data, before)


def test_sound_is_stereo_of_exact_length_and_loudest_after_the_goal(match: Match) -> None:
    samples = soundtrack(match.story, seed=0, duration=10.0)
    assert samples.shape == (10 * RATE, 2)
    assert np.abs(samples).max() <= 1
    calm = samples[3 * RATE : 4 * RATE].std()
    roar = samples[round((GOAL_TIME + 0.5) * RATE) : round((GOAL_TIME + 1.5) * RATE)].std()
    assert roar > 3 * calm


def test_the_match_reel_follows_the_hero(match: Match) -> None:
    """Whenever a clip shows him, the hero's middle is inside the crop, and near its centre but for the goal."""
    reel = match_reel(match, "match.mp4")
    assert [s.stage for s in reel.clips[1].stages] == ["crop", "speed", "upscale", "overlay"]
    assert reel.concat.transition == "dissolve"
    for clip in reel.clips:
        crop = clip.stages[0]
        assert crop.stage == "crop"
        track = Curve(
            [k.time for k in crop.keyframes],
            [(k.x, k.y, k.width, k.height) for k in crop.keyframes],
            crop.interpolation,
        )
        assert clip.end is not None
        for sighting in match.track:
            if clip.start <= sighting.time < clip.end:
                left, top, wide, tall = track.at(sighting.time - clip.start)
                assert left >= -1
                assert top >= -1
                assert left + wide <= match.width + 1
                assert top + tall <= match.height + 1
                assert 0.05 < (sighting.x - left) / wide < 0.95
                assert 0.1 < (sighting.y - top) / tall < 0.9
                if sighting.time < match.goal_time - 0.7:
                    assert 0.35 < (sighting.x - left) / wide < 0.65


def test_the_spotlight_is_on_the_hero_through_slow_motion(match: Match) -> None:
    clip = match_reel(match, "match.mp4").clips[1]
    crop, speed, _, overlay = clip.stages
    assert crop.stage == "crop"
    assert speed.stage == "speed"
    assert overlay.stage == "overlay"
    segment = speed.segments[0]
    windows = Curve(
        [k.time for k in crop.keyframes], [(k.x, k.y, k.width, k.height) for k in crop.keyframes], crop.interpolation
    )
    slowed = (segment.end - segment.start) / segment.speed
    for key in overlay.regions[0].keyframes:
        if key.time < segment.start:
            source = key.time
        elif key.time < segment.start + slowed:
            source = segment.start + (key.time - segment.start) * segment.speed
        else:
            source = segment.end + key.time - segment.start - slowed
        seen = match.track[round((clip.start + source) * FPS)]
        left, top, wide, tall = windows.at(source)
        assert (seen.x - left) * 810 / wide == pytest.approx(key.x, abs=20)
        assert (seen.y - top) * 1440 / tall == pytest.approx(key.y, abs=20)
        assert key.radius_y > 0.5 * seen.height * 1440 / tall


def info(*, seconds: str = "12", width: int = 1280, height: int = 720, sar: str = "1") -> MediaInfo:
    video = VideoStream(
        index=0,
        codec="h264",
        pix_fmt="yuv420p",
        coded_width=width,
        coded_height=height,
        width=width,
        height=height,
        sample_aspect_ratio=sar,
        time_base="1/1000",
    )
    return MediaInfo(
        path="game.mp4",
        format_name="mov",
        size_bytes=1,
        duration=seconds,
        video=video,
        audio=None,
        video_stream_count=1,
        audio_stream_count=0,
    )


@pytest.mark.parametrize(
    ("seconds", "width", "height", "sar"),
    [
        ("0.5", 64, 48, "1"),
        ("1", 1280, 720, "1"),
        ("3601.7", 3840, 2160, "1"),
        ("5", 720, 1280, "1"),
        ("2", 720, 576, "16/15"),
    ],
)
def test_a_footage_reel_stays_inside_any_footage(seconds: str, width: int, height: int, sar: str) -> None:
    given = info(seconds=seconds, width=width, height=height, sar=sar)
    reel = footage_reel(given, "game.mp4")
    assert len(reel.clips) == 3
    overlap = reel.concat.duration
    for one, two in itertools.pairwise(reel.clips):
        assert one.end is not None
        assert one.end <= two.start + 0.002
    for clip in reel.clips:
        assert clip.end is not None
        assert 0 <= clip.start < clip.end <= float(given.duration) + 0.001
        assert clip.end - clip.start >= 2 * overlap
        crop = clip.stages[0]
        assert crop.stage == "crop"
        for key in crop.keyframes:
            assert key.x >= 0
            assert key.y >= 0
            assert key.x + key.width <= width + 0.02
            assert key.y + key.height <= height + 0.02
            assert key.width * eval_ratio(sar) / key.height == pytest.approx(810 / 1440, rel=0.01)


def eval_ratio(text: str) -> float:
    numerator, _, denominator = text.partition("/")
    return int(numerator) / int(denominator or 1)


def test_footage_that_is_too_short_is_refused() -> None:
    with pytest.raises(SpecError, match=r"0\.40 s long.*at least 0\.5 s"):
        footage_reel(info(seconds="0.4"), "game.mp4")


def test_footage_without_a_picture_is_refused() -> None:
    with pytest.raises(ProbeError, match="no video"):
        footage_reel(info().model_copy(update={"video": None}), "game.mp3")


def test_a_timecode_rounds_once() -> None:
    assert [timecode(t) for t in (0, 0.996, 59.999, 3599.995)] == ["0:00.00", "0:01.00", "1:00.00", "60:00.00"]
