"""The app's functions on the local executor: real jobs in worker processes, every frame as planned."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import reelproc as rp
from media_factory import MadeVideo, numbered_video, read_number, run_ffmpeg, tone
from past_bugs import USER, numbers
from reelproc import compat
from waiting import LONG

WHOLE = [{"frame": 0, "x": 0, "y": 0, "width": 192, "height": 108}]
REGION = {
    "startTime": 0.5, "endTime": 1.5, "videoWidth": 384, "videoHeight": 216,
    "keyframes": [{"time": 0.5, "x": 60, "y": 40, "radiusX": 24, "radiusY": 30, "opacity": 0.5}],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """Two seconds of numbered frames with sound."""
    return numbered_video(tmp_path_factory.mktemp("made") / "clip.mp4", frame_count=60, sound=tone(2))


@pytest.fixture
def root(tmp_path: Path, made: MadeVideo) -> Path:
    """A storage root in which the user has that clip."""
    compat.upload_to_r2_sync(USER, "raw/clip.mp4", made.path, root=tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture(scope="module")
def ex(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rp.Executor]:
    with rp.executor("local", folder=tmp_path_factory.mktemp("jobs")) as executor:
        yield executor


def test_framing_gives_what_was_planned(ex: rp.Executor, root: Path) -> None:
    data = {"trimRange": [0.5, 1.5], "boundaries": [0, 1, 2], "segmentSpeeds": {"1": 0.5}}
    arguments: dict[str, Any] = {"output_width": 192, "output_height": 108, "segment_data": data}
    call = compat.process_framing.translate("j", USER, "raw/clip.mp4", "out.mp4", WHOLE, root=root, **arguments)
    assert isinstance(call.job, rp.RenderJob)
    planned = rp.plan(call.job.reel).frame_count
    result = compat.process_framing("j", USER, "raw/clip.mp4", "out.mp4", WHOLE, root=root, executor=ex, **arguments)
    assert result["frames_processed"] == planned == 45
    shown = numbers(root / USER / "out.mp4")
    assert shown[:15] == list(range(15, 30))
    assert (shown[15], shown[-1], len(shown)) == (30, 44, 45)


def test_an_overlay_keeps_every_frame_divided_or_not(ex: rp.Executor, root: Path, made: MadeVideo) -> None:
    arguments = ("j", USER, "raw/clip.mp4")
    plain = compat.render_overlay(*arguments, "a.mp4", [REGION], root=root, executor=ex)
    parts = compat.render_overlay_parallel(*arguments, "b.mp4", [REGION], num_chunks=2, root=root, executor=ex)
    assert plain["frames_processed"] == parts["frames_processed"] == 60
    with rp.open_video(root / USER / "a.mp4") as one, rp.open_video(root / USER / "b.mp4") as two:
        pairs = list(zip(one, two, strict=True))
    assert [read_number(frame) for frame, _ in pairs] == list(made.numbers)
    assert all((a.image == b.image).all() and a.pts == b.pts for a, b in pairs)
    with rp.open_video(made.path) as source:
        before = [frame.image.astype(float).mean() for frame in source]
    darker = [b - a.image.astype(float).mean() > 10 for (a, _), b in zip(pairs, before, strict=True)]
    assert darker[15:40] == [True] * 25
    assert not any(darker[:15] + darker[46:])


def test_several_clips_are_joined(ex: rp.Executor, root: Path) -> None:
    clips = [
        {"cropKeyframes": WHOLE, "segmentsData": {"trimRange": {"start": 1, "end": 2}}, "clipIndex": 1},
        {"keyframes": WHOLE, "segment_data": {"trim_start": 0, "trim_end": 1}, "clipIndex": 0, "duration": 2.0},
    ]
    transition = {"type": "dissolve", "duration": 0.2}
    arguments = (["raw/clip.mp4", "raw/clip.mp4"], "out.mp4", clips, transition, 192, 108)
    result = compat.process_multi_clip("j", USER, *arguments, model="lanczos", root=root, executor=ex)
    assert (result["clips_processed"], result["frames_processed"]) == (2, 54)
    with rp.open_video(root / USER / "out.mp4") as video:
        frames = list(video)
    assert [read_number(f) for f in frames[:24] + frames[30:]] == [*range(24), *range(36, 60)]


def test_a_compilation_is_put_under_both_keys(ex: rp.Executor, root: Path) -> None:
    clips = [
        {"start_time": 0, "end_time": 0.5, "name": "", "notes": None, "rating": 4, "tags": ["Pass", "Dribble"]},
        {"start_time": 1, "end_time": 2, "name": "Größe", "notes": "an der Linie", "rating": 1, "tags": []},
    ]
    arguments = ("j", USER, "raw/clip.mp4", "out/all.mp4", clips, "gallery/all.mp4")
    result = compat.create_annotated_compilation(*arguments, root=root, executor=ex)
    assert (result["clips_processed"], result["frames_processed"]) == (2, 45)
    assert result["gallery_output_key"] == "gallery/all.mp4"
    out, gallery = (root / USER / key for key in ("out/all.mp4", "gallery/all.mp4"))
    assert out.read_bytes() == gallery.read_bytes()


def test_a_copy_that_would_replace_a_source_is_refused(ex: rp.Executor, root: Path) -> None:
    clips = [{"start_time": 0, "end_time": 0.5, "rating": 4}]
    arguments = ("j", USER, "raw/clip.mp4", "out.mp4", clips, "raw/clip.mp4")
    result = compat.create_annotated_compilation(*arguments, root=root, executor=ex)
    assert (result["status"], result["field"]) == ("error", ["copies", 0])


def test_many_at_once_from_coroutines(ex: rp.Executor, root: Path) -> None:
    async def scenario() -> list[dict[str, Any]]:
        spans = [(n / 10, n / 10 + 0.5) for n in range(6)]
        calls = [
            compat.extract_clip_async(USER, "raw/clip.mp4", f"{n}.mp4", *span, root=root, executor=ex)
            for n, span in enumerate(spans)
        ]
        return await asyncio.gather(*calls)

    results = asyncio.run(scenario())
    assert [r["frames_processed"] for r in results] == [15] * 6
    assert numbers(root / USER / "3.mp4") == list(range(9, 24))


SERVER = """
import asyncio, sys
from reelproc import compat

async def main():
    regions = [{"start_time": 0, "end_time": 60, "keyframes": [
        {"time": t, "x": 300 + 5 * t, "y": 200, "radiusX": 90, "radiusY": 90, "strokeOpacity": 1} for t in range(60)]}]
    await compat.render_overlay_async("j", "u1", "long.mp4", "out.mp4", regions,
        call_id_callback=lambda call_id: print(call_id, flush=True),
        progress_callback=lambda share, *_: print(share, flush=True))

asyncio.run(main())
"""


def test_a_backend_that_is_killed_finds_its_call_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=40", "-c:v", "libx264", "-preset", "ultrafast"]
    run_ffmpeg(*picture, "-pix_fmt", "yuv420p", str(tmp_path / "long.mp4"))
    compat.upload_to_r2_sync(USER, "long.mp4", tmp_path / "long.mp4", root=root)
    environment = {"REELPROC_HOME": str(tmp_path / "home"), "REELPROC_STORAGE_ROOT": str(root)}
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )
    try:
        assert server.stdout is not None
        call_id = server.stdout.readline().strip()
        while float(json.loads(server.stdout.readline())) < 20:
            pass
        server.send_signal(signal.SIGKILL)
    finally:
        server.kill()
        server.communicate()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with rp.executor("local") as restarted:  # the backend as it is started again
        assert compat.status(call_id, executor=restarted) == "running"
        result = compat.result(call_id, executor=restarted, timeout=LONG)
        assert (result["status"], result["frames_processed"]) == ("success", 1200)
        assert compat.status(call_id, executor=restarted) == "complete"
