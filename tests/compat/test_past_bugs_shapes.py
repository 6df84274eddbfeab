"""Bugs that the app had with its data, its many copies of one idea, colours and memory; each re-enacted first."""

from __future__ import annotations

import ast
import tracemalloc
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg
from past_bugs import USER, done, numbers, placed
from reelproc import compat
from reelproc.stages.base import StreamInfo, Target
from reelproc.testing.pictures import flat

SOURCE = Path(rp.__file__).parent
WHOLE = [{"time": 0, "x": 0, "y": 0, "width": 192, "height": 108}]
SIZE = {"output_width": 192, "output_height": 108}
SPOT = {"time": 0, "x": 96, "y": 54, "radiusX": 20, "radiusY": 20, "opacity": 0.9}


def picture(path: Path) -> list[bytes]:
    with rp.open_video(path) as video:
        return [frame.image.tobytes() for frame in video]


def test_6_one_idea_has_one_definition(tmp_path: Path) -> None:
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=30))

    one, two = tmp_path / "one.mp4", tmp_path / "two.mp4"  # two of the app's argument lists
    for path, crf in ((one, "18"), (two, "23")):
        run_ffmpeg("-i", str(source), "-c:v", "libx264", "-crf", crf, str(path))
    assert picture(one) != picture(two)

    framed = [
        {"frame": 0, "x": 0, "y": 0, "width": 96, "height": 96},
        {"frame": 29, "x": 90, "y": 9} | {"width": 90, "height": 90},
    ]
    done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "a.mp4", framed, 96, 96)
    clip = {"cropKeyframes": framed, "segmentsData": None, "clipIndex": 0}
    arguments = (USER, ["in.mp4"], "b.mp4", [clip], {"type": "cut"}, 96, 96)
    done(compat.process_multi_clip, tmp_path, "j", *arguments, model="lanczos")
    assert picture(tmp_path / USER / "a.mp4") == picture(tmp_path / USER / "b.mp4")


def test_6_only_one_module_starts_ffmpeg_and_one_interpolates() -> None:
    def uses(found: Callable[[ast.AST], bool]) -> set[str]:
        trees = {path: ast.parse(path.read_text()) for path in SOURCE.rglob("*.py")}
        return {str(path.relative_to(SOURCE)) for path, tree in trees.items() if any(map(found, ast.walk(tree)))}

    assert uses(lambda n: isinstance(n, ast.FunctionDef) and n.name == "_cubic") == {"keyframes.py"}
    starts = uses(lambda n: isinstance(n, ast.Attribute) and n.attr == "Popen")
    assert starts == {"media/ffmpeg.py", "executors/local/worker_process.py"}, "and the latter starts Python"


def test_7_a_field_under_its_former_name_is_read_and_a_missing_one_is_named() -> None:
    legacy = {"startTime": 0, "endTime": 1, "keyframes": [SPOT]}

    def naive(region: dict[str, Any]) -> float:
        return float(region["end_time"] - region["start_time"])

    with pytest.raises(KeyError):
        naive(legacy)

    call = compat.render_overlay.translate("j", USER, "in.mp4", "out.mp4", [legacy], root="s3://media")
    assert isinstance(call.job, rp.RenderJob)
    with pytest.raises(
        rp.SpecError, match=r"^highlight_regions\[1\]\.start_time: got nothing, expected a finite number"
    ):
        compat.render_overlay.translate("j", USER, "in.mp4", "o.mp4", [legacy, {"endTime": 1}], root="s3://media")


def test_14_a_disabled_region_is_not_drawn(tmp_path: Path) -> None:
    placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=15))
    region = {"start_time": 0, "end_time": 1, "enabled": False, "keyframes": [SPOT]}

    naive = rp.Overlay(regions=[rp.HighlightRegion(start_time=0, end_time=1, keyframes=[
        rp.HighlightKeyframe(time=0, x=96, y=54, radius_x=20, radius_y=20, opacity=0.9)])])  # fmt: skip
    frame = flat(192, 108, "yuv420p", (180, 128, 128))
    before = frame.planes[0].copy()
    work = naive.open(StreamInfo(192, 108, Fraction(1)), Target())
    assert (work(frame, 0.0).planes[0] != before).any(), "drawn without a look at enabled"

    result = done(compat.render_overlay, tmp_path, "j", USER, "in.mp4", "out.mp4", [region])
    assert result["frames_processed"] == 15
    source, out = (list(_luma(tmp_path / USER / name)) for name in ("in.mp4", "out.mp4"))
    assert max(float(np.abs(a - b).mean()) for a, b in zip(source, out, strict=True)) < 3.0


def _luma(path: Path) -> Any:
    with rp.open_video(path, pix_fmt="yuv420p") as video:
        yield from (frame.planes[0].astype(np.float64) for frame in video)


def test_14_the_result_says_its_colours(tmp_path: Path) -> None:
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=5))

    naive = tmp_path / "naive.mp4"  # raw frames piped into an encoder that is not told what they are
    raw = tmp_path / "raw.yuv"
    run_ffmpeg("-i", str(source), "-f", "rawvideo", "-pix_fmt", "yuv420p", str(raw))
    run_ffmpeg("-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "192x108", "-i", str(raw), str(naive))
    assert colours(naive) != (1, 1, 1)

    done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert colours(tmp_path / USER / "out.mp4") == (1, 1, 1)


def colours(path: Path) -> tuple[int, int, int]:
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        return int(codec.colorspace), int(codec.color_primaries), int(codec.color_trc)


def test_14_a_turned_source_is_shown_upright(tmp_path: Path) -> None:
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=10, rotation=90))

    with av.open(str(source)) as container:
        naive = next(container.decode(video=0)).to_ndarray(format="gray8")
    assert naive.shape == (192, 108)
    with pytest.raises(ValueError, match="no clear number"):
        read_number(naive)

    done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert numbers(tmp_path / USER / "out.mp4") == list(range(10))


def test_14_a_variable_rate_is_shown_at_its_times(tmp_path: Path) -> None:
    stamps = [0, 100, 200, 300, 1000, 1100]  # ms: number 3 is held for 0.7 s
    placed(tmp_path, "in.mp4", lambda p: numbered_video(p, pts=stamps))

    naive = [round(time * len(stamps) / 1.1) for time in (0.0, 0.3, 0.9)]  # ordinal = time × frames / duration
    assert naive != [0, 3, 4]

    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, fps=10, **SIZE)
    shown = numbers(tmp_path / USER / "out.mp4")
    assert result["frames_processed"] == len(shown)
    assert shown[:11] == [0, 1, 2, 3, 3, 3, 3, 4, 4, 4, 4], "always the frame whose time is nearest"


def test_15_memory_does_not_grow_with_the_layers() -> None:
    size, count = (640, 360), 50

    def peak(work: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    def naive() -> object:
        return [np.zeros((size[1], size[0], 4), np.uint8) for _ in range(count)]

    layer = size[0] * size[1] * 4
    assert peak(naive) > 40 * layer

    def overlay(regions: int) -> Callable[[], object]:
        drawn = [
            {
                "start_time": n / 10,
                "end_time": n / 10 + 0.5,
                "keyframes": [SPOT | {"time": n / 10, "strokeOpacity": 0.8}],
            }
            for n in range(regions)
        ]
        call = compat.render_overlay.translate("j", USER, "in.mp4", "out.mp4", drawn, root="s3://media")
        assert isinstance(call.job, rp.RenderJob)
        (stage,) = call.job.reel.clips[0].stages

        def work() -> object:
            drawing = stage.open(StreamInfo(*size, Fraction(6)), Target())
            assert drawing is not None
            frame = flat(*size, "yuv420p", (120, 128, 128))
            for n in range(60):
                drawing(frame, n / 10)
            drawing.close()
            return None

        return work

    overlay(1)()  # what is loaded once is not counted
    assert peak(overlay(count)) < peak(overlay(1)) + layer
