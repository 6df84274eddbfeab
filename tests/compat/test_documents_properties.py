"""Whatever the app has stored, its legacy and its modern form are the same reel, and the reel survives JSON."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import reelproc as rp
from compat_documents import framing, multi, overlay

FPS = 30
frames = st.integers(0, 3000)
pixels = st.integers(0, 1000)
sides = st.integers(2, 500)
shares = st.integers(0, 100).map(lambda n: n / 100)
speeds = st.sampled_from([0.1, 0.25, 0.5, 1.0, 2.0, 10.0])


def seconds(frame: int) -> float:
    return float(Fraction(frame, FPS))


@st.composite
def crops(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Modern keyframes: by frame, with an origin."""
    numbers = draw(st.lists(frames, max_size=6, unique=True))
    origin = st.sampled_from(["permanent", "user", "trim"])
    return [
        {"frame": n, "x": draw(pixels), "y": draw(pixels), "width": draw(sides), "height": draw(sides)}
        | {"origin": draw(origin)}
        for n in numbers
    ]


def legacy_crop(keyframe: dict[str, Any]) -> dict[str, Any]:
    kept = {name: keyframe[name] for name in ("x", "y", "width", "height")}
    return {"time": seconds(keyframe["frame"]), **kept}


@st.composite
def edits(draw: st.DrawFn) -> dict[str, Any]:
    """What the editor keeps: all boundaries, a trim, speeds by interval."""
    cuts = sorted(draw(st.sets(st.integers(1, 999), max_size=5)))
    boundaries = [0.0, *(n / 10 for n in cuts), 100.0]
    numbers = st.integers(0, len(boundaries) - 2)
    start = draw(st.integers(0, 500))
    trim = draw(st.none() | st.just([start / 10, draw(st.integers(start + 1, 1000)) / 10]))
    table = draw(st.dictionaries(numbers, speeds, max_size=4))
    return {
        "boundaries": boundaries, "userSplits": boundaries[1:-1], "trimRange": trim,
        "segmentSpeeds": {str(n): speed for n, speed in table.items()},
    }  # fmt: skip


def rendered(edit: dict[str, Any], *, apart: bool) -> dict[str, Any]:
    """The same as it was sent to be rendered."""
    bounds = edit["boundaries"]
    segments = [
        {"start": bounds[int(n)], "end": bounds[int(n) + 1], "speed": speed}
        for n, speed in edit["segmentSpeeds"].items()
    ]
    trim = edit["trimRange"]
    if apart:
        return {"segments": segments} | ({"trim_start": trim[0], "trim_end": trim[1]} if trim else {})
    return {"segments": segments, "trimRange": {"start": trim[0], "end": trim[1]} if trim else None}


@given(crops(), edits(), st.booleans())
def test_framing(keyframes: list[dict[str, Any]], edit: dict[str, Any], apart: bool) -> None:
    modern = framing(keyframes=keyframes, segment_data=edit)
    legacy = framing(keyframes=[legacy_crop(k) for k in reversed(keyframes)], segment_data=rendered(edit, apart=apart))
    assert legacy == modern
    assert rp.Reel.model_validate_json(modern.model_dump_json()) == modern


@given(edits())
def test_boundaries_without_their_ends_are_the_same_boundaries(edit: dict[str, Any]) -> None:
    inner = edit | {"boundaries": edit["userSplits"]}
    known = {"duration": 100.0, "keyframes": []}
    assert multi([known | {"segment_data": inner}]) == multi([known | {"segment_data": edit}])


@given(st.lists(st.tuples(crops(), edits()), min_size=1, max_size=3))
def test_clips(clips: list[tuple[list[dict[str, Any]], dict[str, Any]]]) -> None:
    modern = [
        {"clipIndex": n, "keyframes": crop, "segment_data": edit, "duration": 100.0, "clipName": "a", "rotation": 0}
        for n, (crop, edit) in enumerate(clips)
    ]
    legacy = [
        {"cropKeyframes": list(map(legacy_crop, crop)), "segmentsData": rendered(edit, apart=True), "clipIndex": n}
        for n, (crop, edit) in enumerate(clips)
    ]
    assert multi(list(reversed(legacy))) == multi(modern)


@st.composite
def regions(draw: st.DrawFn) -> dict[str, Any]:
    """A modern region."""
    start, length = draw(frames), draw(frames)
    numbers = draw(st.lists(frames, min_size=1, max_size=4, unique=True))
    keyframes = [
        {"time": seconds(n), "x": draw(pixels), "y": draw(pixels), "radiusX": draw(sides), "radiusY": draw(sides)}
        | {"opacity": draw(shares)}
        for n in numbers
    ]
    sized = draw(st.booleans())
    return {
        "id": str(draw(st.integers(0, 99))), "start_time": seconds(start), "end_time": seconds(start + length),
        "enabled": draw(st.booleans()), "label": draw(st.text(max_size=5)), "keyframes": keyframes,
        **({"videoWidth": 1080, "videoHeight": 1920} if sized else {}),
    }  # fmt: skip


def legacy_region(region: dict[str, Any]) -> dict[str, Any]:
    renamed = {"start_time": "startTime", "end_time": "endTime", "videoWidth": "video_width"}
    renamed["videoHeight"] = "video_height"
    changed = {renamed.get(name, name): value for name, value in region.items()}
    keyframes = [{**k, "frame": round(k["time"] * FPS)} for k in region["keyframes"]]
    for keyframe in keyframes:
        del keyframe["time"]
    return changed | {"keyframes": keyframes, "isSelected": True}


@given(st.lists(regions(), max_size=3))
def test_highlights(modern: list[dict[str, Any]]) -> None:
    assert overlay(list(map(legacy_region, modern))) == overlay(modern)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["time", "x", "y", "start", "end", "segments", "trimRange", "keyframes", "0"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON, JSON, JSON)
def test_nonsense_is_a_reel_or_refused_and_nothing_else(keyframes: Any, edit: Any, region: Any) -> None:
    for make in (
        lambda: framing(keyframes=keyframes, segment_data=edit),
        lambda: multi([{"keyframes": keyframes, "segment_data": edit}], transition=region),
        lambda: overlay(region),
    ):
        with contextlib.suppress(rp.SpecError):
            make()
