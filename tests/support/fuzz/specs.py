"""Jobs, mutated: valid ones in which a value is of the wrong kind, senseless, missing, or text that no parser likes."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import reelproc as rp

__all__ = ["valid_jobs", "wild_job"]

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 0.1, 0.5, -0.5, 1e-9, 1e-300, 5e-324, 1e9, 1e15, 1e308, -1e308, 10**30),
    *(float("nan"), float("inf"), float("-inf"), 2**31, 2**63, 2**64, 16384, 16385, 59.94, 1000, 1001, -(10**30)),
    *("", " ", "0", "1", "nan", "inf", "1/0", "0/1", "-1/2", "30000/1001", "1e400", "9" * 5000, "null", "#ffffff"),
    *("\0", "a\0b", "\ud800", "\udcff", "é", "日本🎬", "\u202e", "\r\n", "%s%n", "${x}", "../../x", "x" * 300, "red"),
    *("game.mp4", "missing.mp4", "out.mkv", "out.exe", "http://h/x.mp4", "s3://b/../k.mp4", "concat:a|b"),
    *("file:///nowhere/x.mp4", [], {}, [[]], [None], [1, 2, 3], {"": 1}, {"stage": "crop"}, {"stage": "x"}, [{}] * 50),
    *("lanczos", "area", "bicubic", "cut", "fade", "dissolve", "contain", "libx264", "libx265", "yuv444p", "ultrafast"),
)


def valid_jobs(source: str, output: str) -> list[dict[str, Any]]:
    """Jobs that hold every stage and option, as data."""
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=t, x=8 + 9 * t, y=4, width=48, height=40) for t in (0, 0.3)])
    region = rp.HighlightRegion(
        start_time=0,
        end_time=0.4,
        keyframes=[rp.HighlightKeyframe(time=t, x=30, y=30, radius_x=12, radius_y=15) for t in (0, 0.2)],
    )
    words = rp.TextRegion(start_time=0, end_time=0.3, elements=[rp.TextElement(spec=rp.TextSpec(text="Goal! שלום"))])
    speed = rp.Speed(segments=[rp.SpeedSegment(start=0.1, end=0.3, speed=0.5)])
    drawn = [rp.Overlay(regions=[region]), rp.Text(regions=[words])]
    clip = rp.Clip(source=source, start=0.1, end=0.5, stages=[crop, speed, rp.Upscale(model="lanczos"), *drawn])
    small = rp.Output(width=64, height=80, preset="ultrafast")
    reels = [
        rp.Reel(clips=[clip], output=small),
        rp.Reel(
            clips=[clip, rp.Clip(source=source, stages=[rp.Rotate(degrees=5)])],
            concat=rp.Concat(transition="dissolve", duration=0.1),
            output=small,
        ),
        rp.Reel(
            clips=[rp.Clip(source=source, stages=drawn)],
            output=rp.Output(width=None, height=None, fps=None, audio=True),
        ),
    ]
    jobs: list[rp.RenderJob | rp.ExtractJob] = [rp.RenderJob(reel=reel, output=output) for reel in reels]
    jobs += [rp.ExtractJob(source=source, output=output, start=0.1, end=0.4, copy_codec=copy) for copy in (False, True)]
    return [json.loads(job.model_dump_json()) for job in jobs]


def wild_job(number: int, source: str, output: str) -> str:
    """The JSON of the wild job with this number; some are still valid, and some no JSON at all."""
    rng = random.Random(f"json.{number}")
    jobs = valid_jobs(source, output)
    data = rng.choice(jobs)
    if rng.random() < 0.4:
        _turn_knobs(data, rng)
        return json.dumps(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _mutate(data, rng, jobs)
    text = json.dumps(data, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.12:
        text = _mangled(text, rng)
    return text


def _turn_knobs(data: Any, rng: random.Random) -> None:
    """Other numbers in a few places: most of such jobs are still valid, and many ask for the impossible."""
    places = [
        (parent, key)
        for parent, key in _places(data)
        if isinstance(parent[key], (int, float)) and not isinstance(parent[key], bool) and key != "version"
    ]
    for parent, key in rng.sample(places, min(len(places), rng.choice((1, 2, 5)))):
        value = rng.choice(
            (
                rng.uniform(-2, 2),
                rng.uniform(-300, 300),
                10 ** rng.uniform(-7, 7),
                -(10 ** rng.uniform(-7, 7)),
                2 * rng.randrange(2000),
            )
        )
        parent[key] = round(abs(value)) + 1 if isinstance(parent[key], int) and rng.random() < 0.8 else value


def _mutate(data: Any, rng: random.Random, jobs: list[Any]) -> None:
    parent, key = rng.choice(list(_places(data)))
    act = rng.random()
    value = parent[key]
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    if numeric and act < 0.7:
        parent[key] = value * rng.choice((-1, 0, 1e-3, 0.1, 0.5, 1.7, 3, 40, 1e3, 1e7)) + rng.choice((0, 0, 0, 1, 1e-4))
    elif act < 0.7:
        parent[key] = rng.choice(_VALUES)
    elif act < 0.8:
        del parent[key]
    elif act < 0.88:
        other, place = rng.choice(list(_places(rng.choice(jobs))))
        parent[key] = json.loads(json.dumps(other[place]))
    elif act < 0.94 and isinstance(parent, dict):
        parent[rng.choice(("unknown", "", "__class__", "stage", "job", "é" * 50))] = rng.choice(_VALUES)
    elif isinstance(parent, list):
        parent[key:key] = [json.loads(json.dumps(parent[key]))] * rng.choice((1, 2, 40))
    else:
        parent[key] = _nested(rng.choice((5, 60, 400)), rng.random() < 0.5)


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in ``data`` with each of its keys."""
    keys = list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    for key in keys:
        yield data, key
        yield from _places(data[key])


def _nested(depth: int, is_list: bool) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if is_list else {"a": value}
    return value


def _mangled(text: str, rng: random.Random) -> str:
    place = rng.randrange(len(text))
    act = rng.randrange(7)
    if act == 0:
        return text[:place]
    if act == 1:
        return text[:place] + rng.choice('{}[]",:0e-\\\0\ufeff\ud800') + text[place:]
    if act == 2:
        return "[" * 100_000
    if act == 3:
        return '{"job":' * 5000
    if act == 4:
        return text.replace('"clips"', '"clips": [], "clips"', 1)
    if act == 5:
        return rng.choice(("", "null", "[]", "{}", "1", '"render"', '{"job": "render"}', '{"job": 5}', "\ufeff" + text))
    return text.replace("0", "0" * 1000, 1)
