"""The demo's reels: of the drawn match, exact about where its hero is, and of any footage."""

from __future__ import annotations

import itertools

import pytest

from reelproc.demo.match import match_tracks
from reelproc.demo.reel import footage_reel, match_reel
from reelproc.errors import ProbeError, SpecError
from reelproc.keyframes import Curve
from reelproc.media.info import MediaInfo, VideoStream

MATCH = match_tracks()


def test_the_match_reel_follows_the_hero() -> None:
    """Whenever a clip shows him, the hero's middle is inside the crop, and near its centre but for the goal."""
    reel = match_reel(MATCH, "match.mp4")
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
        for sighting in MATCH.hero:
            if clip.start <= sighting.time < clip.end:
                left, top, wide, tall = track.at(sighting.time - clip.start)
                assert left >= -1
                assert top >= -1
                assert left + wide <= MATCH.width + 1
                assert top + tall <= MATCH.height + 1
                assert 0.05 < (sighting.x - left) / wide < 0.95
                assert 0.1 < (sighting.y - top) / tall < 0.9
                if sighting.time < MATCH.goal_time - 0.7:
                    assert 0.35 < (sighting.x - left) / wide < 0.65


def test_the_spotlight_is_on_the_hero_through_slow_motion() -> None:
    clip = match_reel(MATCH, "match.mp4").clips[1]
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
        seen = MATCH.hero[round((clip.start + source) * 30)]
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
