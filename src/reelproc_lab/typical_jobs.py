"""Jobs that nobody has footage for: the app's workflows on a match in 1080p30, as plans whose sources are made up.

They are planned and counted by the code that plans and counts real ones; only what a probe would say of the source is
invented here: H.264 of 8 Mbit/s with AAC sound, 90 s long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from reelproc import (
    AudioStream,
    Banner,
    Clip,
    Concat,
    Crop,
    CropKeyframe,
    HighlightKeyframe,
    HighlightRegion,
    MediaInfo,
    Output,
    Overlay,
    Plan,
    Reel,
    Stage,
    Upscale,
    VideoStream,
)
from reelproc.cost.plan_work import count
from reelproc.cost.work import Work
from reelproc.render.plan import Copying, Segment, SourceFrames
from reelproc.render.planning import make_plan

RATE = 30
SECONDS = 90
BYTES = SECONDS * 1_000_000
"""Of 8 Mbit/s."""

NETWORK = "realesr-general-x4v3"


def _source() -> tuple[str, MediaInfo, SourceFrames]:
    base = Fraction(1, RATE)
    video = VideoStream(
        index=0,
        codec="h264",
        pix_fmt="yuv420p",
        coded_width=1920,
        coded_height=1080,
        width=1920,
        height=1080,
        time_base=base,
        average_rate=Fraction(RATE),
    )
    sound = AudioStream(
        index=1,
        codec="aac",
        sample_rate=48000,
        channels=2,
        layout="stereo",
        start=Fraction(0),
        duration=Fraction(SECONDS),
    )
    info = MediaInfo(
        path="match.mp4",
        format_name="mov,mp4,m4a,3gp,3g2,mj2",
        size_bytes=BYTES,
        duration=Fraction(SECONDS),
        video=video,
        audio=sound,
        video_stream_count=1,
        audio_stream_count=1,
    )
    return "match.mp4", info, SourceFrames(tuple(range(SECONDS * RATE)), base, 0, Fraction(SECONDS))


def _plan(reel: Reel) -> Plan:
    path, info, frames = _source()
    sources = []
    for clip in reel.clips:
        start, end = round(clip.start * RATE), round((clip.end or SECONDS) * RATE)
        near = replace(frames, pts=tuple(range(max(0, start - 1), min(SECONDS * RATE, end + 1))))
        sources.append((path, info, near))
    return make_plan(reel, sources)


def _crop() -> Crop:
    return Crop(
        keyframes=[
            CropKeyframe(time=0, x=200, y=60, width=540, height=960),
            CropKeyframe(time=15, x=1100.5, y=80.5, width=540, height=960),
        ]
    )


def _light(start: float, end: float, x: float = 405, y: float = 720) -> Overlay:
    path = [HighlightKeyframe(time=start, x=x, y=y, radius_x=150, radius_y=150, opacity=0.15)]
    return Overlay(regions=[HighlightRegion(start_time=start, end_time=end, keyframes=path)])


def framed(seconds: float, model: str | None = NETWORK) -> Work:
    """Return a clip cropped to 540x960 and enlarged to 810x1440, by a network or, without a name, a resampler."""
    stages: Sequence[Stage] = [_crop(), Upscale(model=model or "lanczos")]
    return count(_plan(Reel(clips=[Clip(source="match.mp4", start=3, end=3 + seconds, stages=stages)])))


def overlaid(highlighted: float) -> Work:
    """Return a job with a spotlight on some seconds of the 90 s match, in its own size; the rest is copied.

    The source is taken to have a key frame every two seconds, so that up to two seconds on either side are encoded.
    """
    reel = Reel(
        clips=[Clip(source="match.mp4", stages=[_light(1, 1 + highlighted)])], output=Output(width=1920, height=1080)
    )
    made = _plan(reel)
    if highlighted >= SECONDS - 2:
        return count(made)
    end = min(made.frame_count, -(-int((1 + highlighted) * RATE + 1) // (2 * RATE)) * 2 * RATE)
    segments = (Segment(0, end), Segment(end, made.frame_count, copied=True))
    return count(replace(made, segments=segments, copying=Copying(delay=2, parameter_set=1, sound=True)))


def extraction(seconds: float = 6.0) -> Work:
    """Return a cut exact to the frame: groups of pictures at its two ends are encoded, the rest is copied."""
    clip = Clip(source="match.mp4", start=3, end=3 + seconds)
    made = _plan(Reel(clips=[clip], output=Output(width=None, height=None, fps=None)))
    frames = made.frame_count
    head, tail = min(frames, RATE), max(min(frames, RATE), frames - RATE)
    segments = [Segment(0, head), Segment(head, tail, copied=True), Segment(tail, frames)]
    kept = tuple(s for s in segments if s.end > s.first)
    work = count(replace(made, segments=kept, copying=Copying(delay=2, parameter_set=1, sound=False)))
    return work.model_copy(update={"job": "extract"})


def compilation(clips: int = 10, seconds: float = 6.0) -> Work:
    """Clips in the match's own size, each with its banner, joined."""
    each = [
        Clip(source="match.mp4", start=seconds * n, end=seconds * (n + 1), stages=[Banner(name=f"Clip {n}", rating=4)])
        for n in range(clips)
    ]
    return count(_plan(Reel(clips=each, output=Output(width=1920, height=1080))))


def reel_of(clips: int, seconds: float = 15.0, model: str | None = NETWORK) -> Work:
    """Return a finished reel: clips cropped, enlarged, with a spotlight on each for 3 s, joined by dissolves."""
    stages: Sequence[Stage] = [_crop(), Upscale(model=model or "lanczos"), _light(1, 4)]
    room = SECONDS - seconds
    each = [
        Clip(source="match.mp4", start=room * n / clips, end=room * n / clips + seconds, stages=stages)
        for n in range(clips)
    ]
    return count(_plan(Reel(clips=each, concat=Concat(transition="dissolve", duration=0.5))))
