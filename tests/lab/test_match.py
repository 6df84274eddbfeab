"""The drawn match: equal by seed, plausible in motion, and exact about where its hero is."""

from __future__ import annotations

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from reelproc.demo.match import MATCH_CLIP, MatchTracks, match_tracks
from reelproc.pixels.frame import Frame
from reelproc_lab.match import __main__ as command
from reelproc_lab.match import ball, players, skeleton
from reelproc_lab.match.camera import Camera
from reelproc_lab.match.film import FPS, Match, film
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
    seen = match.tracks.hero[n]
    assert 2 * columns.mean() == pytest.approx(seen.x, abs=0.3 * seen.width)
    assert 2 * columns.min() >= seen.x - seen.width / 2 - 3
    assert 2 * columns.max() <= seen.x + seen.width / 2 + 3
    assert 2 * rows.min() >= seen.y - seen.height / 2 - 3
    assert 2 * rows.max() <= seen.y + seen.height / 2 + 3
    assert 2 * (rows.max() - rows.min()) > 0.8 * seen.height


def test_the_hero_stays_in_the_picture_and_moves_smoothly(match: Match) -> None:
    for sighting in match.tracks.hero:
        assert sighting.width / 2 < sighting.x < match.width - sighting.width / 2
        assert sighting.height / 2 < sighting.y < match.height - sighting.height / 2
    for one, two in itertools.pairwise(match.tracks.hero):
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


# ---- the clip that reelproc ships


def test_what_is_shipped_is_what_is_drawn(match: Match) -> None:
    """The tracks to the digit; the pictures as near as an encoder of 3 Mbit/s comes."""
    assert match_tracks() == match.tracks
    with rp.open_video(MATCH_CLIP, pix_fmt="yuv420p") as video:
        for n, frame in enumerate(video):
            if n % 60 == 0:
                error = frame.planes[0].astype(float) - drawn(match, n).planes[0]
                assert 10 * np.log10(255**2 / np.square(error).mean()) > 33, f"frame {n}"
        assert n == match.frame_count - 1


def test_the_shipped_clip_is_below_4_megabytes_and_plays_where_level_4_2_does() -> None:
    assert MATCH_CLIP.stat().st_size < 4_000_000
    with av.open(str(MATCH_CLIP)) as container:
        assert container.streams.video[0].codec_context.extradata[3] <= 42, "the level in avcC"


def test_a_film_that_is_stopped_leaves_nothing(match: Match, tmp_path: Path) -> None:
    count = 0

    def stop() -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        film(match, tmp_path / "match.mp4", check=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_command_draws_a_clip_and_its_tracks(match: Match, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "film", lambda match, path, settings: path.write_text(f"seed {match.seed}"))
    monkeypatch.setattr("sys.argv", ["match", str(tmp_path / "out.mp4"), "--seed", "3"])
    command.main()
    assert (tmp_path / "out.mp4").read_text() == "seed 3"
    written = MatchTracks.model_validate_json((tmp_path / "out.json").read_text())
    assert len(written.hero) == 300
    assert written != match.tracks
