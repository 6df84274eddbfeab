"""Bugs that the app had with what fails, hangs, is fetched and is paid; each is re-enacted first."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import modal
import modal.exception
import pytest

import reelproc as rp
from faulty_s3 import S3Service
from media_factory import damage_packet, numbered_video, run_ffmpeg
from modal_service import LIVE, ModalService
from past_bugs import USER, done, numbers, placed
from reelproc import compat, storage
from reelproc.executors.modal.presets import preset
from reelproc.executors.modal.worker import Container, ModalRequest
from reelproc.executors.outcome import outcome_from_data
from reelproc.results import RenderResult
from reelproc.retries import retried
from reelproc.storage.remote import SMALL_BYTES

WHOLE = [{"time": 0, "x": 0, "y": 0, "width": 192, "height": 108}]
SIZE = {"output_width": 192, "output_height": 108}


def test_2_a_child_that_says_a_lot_does_not_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noisy = tmp_path / "ffmpeg"  # as one that warns of every frame for five minutes
    noise = f"{sys.executable} -c \"import sys; sys.stderr.write('warning: late frame\\n' * 20000)\""
    noisy.write_text(f'#!/bin/sh\n[ "$1" = -version ] || {noise}\nexec {imageio_ffmpeg.get_ffmpeg_exe()} "$@"\n')
    noisy.chmod(noisy.stat().st_mode | stat.S_IXUSR)
    source = placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=30))

    argv = [str(noisy), "-i", str(source), "-f", "rawvideo", "-"]
    naive = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert naive.stdout is not None
    assert naive.stderr is not None
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            naive.wait(2)  # it waits for somebody to read what it says, before its first frame
    finally:
        naive.kill()
        naive.communicate()

    monkeypatch.setenv("REELPROC_FFMPEG", str(noisy))
    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert result["frames_processed"] == 30


def test_5_a_failed_upscale_is_an_error_and_no_resize(tmp_path: Path) -> None:
    placed(tmp_path, "in.mp4", lambda p: numbered_video(p, frame_count=5))

    def upscaled(name: str) -> dict[str, Any]:
        arguments = ("j", USER, "in.mp4", name, WHOLE)
        return done(compat.process_framing_ai, tmp_path, *arguments, model="no-such-network.pth", **SIZE)

    def naive() -> dict[str, Any]:
        result = upscaled("naive.mp4")
        if result["status"] == "error":
            result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "naive.mp4", WHOLE, **SIZE)
        return result

    assert naive()["status"] == "success", "and nobody is told"

    result = upscaled("out.mp4")
    assert result["status"] == "error"
    # with the extra "ai" the file is missed, without it the extra
    assert "no-such-network.pth" in result["error"] or result["error_type"] == "MissingDependencyError"
    assert not (tmp_path / USER / "out.mp4").exists()


def test_5_an_unreadable_frame_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    whole = numbered_video(tmp_path / "whole.mp4", frame_count=30)
    placed(tmp_path, "in.mp4", lambda p: damage_packet(whole, p, 19))

    naive = 0  # every frame that can be read
    with rp.open_video(tmp_path / USER / "in.mp4") as video:
        naive = sum(1 for _ in video)
    assert naive < 30

    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert (result["status"], result["error_type"]) == ("error", "DecodeError")


def test_5_a_failed_clip_is_an_error_and_not_left_out(tmp_path: Path) -> None:
    placed(tmp_path, "a.mp4", lambda p: numbered_video(p, frame_count=10))
    clips = [{"cropKeyframes": WHOLE, "segmentsData": {}, "clipIndex": n} for n in range(2)]
    sources = ["a.mp4", "gone.mp4"]

    naive = [name for name in sources if (tmp_path / USER / name).exists()]
    assert len(naive) == 1

    arguments = ("j", USER, sources, "out.mp4", clips, None, 192, 108)
    result = done(compat.process_multi_clip, tmp_path, *arguments, model="lanczos")
    assert (result["status"], result["error_type"]) == ("error", "ObjectNotFoundError")
    assert "gone.mp4" in result["error"]


def test_5_a_file_that_cannot_be_understood_is_not_taken_for_one_with_sound(tmp_path: Path) -> None:
    placed(tmp_path, "in.mp4", lambda p: p.write_bytes(b"not a video at all" * 100))

    def naive(path: Path) -> bool:
        try:
            return rp.probe(path).audio is not None
        except rp.ReelprocError:
            return True

    assert naive(tmp_path / USER / "in.mp4") is True

    result = done(compat.process_framing, tmp_path, "j", USER, "in.mp4", "out.mp4", WHOLE, **SIZE)
    assert (result["status"], result["error_type"]) == ("error", "ProbeError")


@pytest.mark.skipif(LIVE, reason="deploys an app of its own to the loopback")
def test_11_progress_and_recovery_by_call_id_go_together(modal_service: ModalService, tmp_path: Path) -> None:
    app = modal.App("naive-progress")

    def stream(frames: int) -> Any:
        yield from range(frames)

    app.function(name="stream", serialized=True)(stream)
    app.deploy()
    with pytest.raises(modal.exception.InvalidError, match="generator"):
        modal.Function.from_name("naive-progress", "stream").spawn(3)

    made = numbered_video(tmp_path / "in.mp4", frame_count=30)
    key = f"past-bugs/{tmp_path.name}"
    compat.upload_to_r2_sync(USER, f"{key}/in.mp4", made.path)
    ids: list[str] = []
    progress: list[float] = []
    arguments = (USER, f"{key}/in.mp4", f"{key}/out.mp4", 0, 1)
    result = compat.extract_clip(
        *arguments,
        executor="modal",
        call_id_callback=ids.append,
        progress_callback=lambda share, *_: progress.append(share),
    )
    assert result["status"] == "success"
    assert progress[-1] == 100.0
    name, _, job = ids[0].partition(":")
    with rp.executor(name) as another:  # as a restarted backend has it
        assert next(iter(another.attach(job).events())).phase
        assert compat.result(ids[0], executor=another)["status"] == "success"


def test_12_what_no_retry_can_help_is_not_tried_again() -> None:
    tries: list[int] = []

    def work() -> None:
        tries.append(1)
        raise rp.DecodeError("packet 7 is damaged")

    for _ in range(3):  # naive
        try:
            work()
        except rp.ReelprocError:
            continue
    assert len(tries) == 3

    tries.clear()
    with pytest.raises(rp.DecodeError):
        retried(work)
    assert len(tries) == 1
    # a container gives such errors back as results, which Modal does not repeat; only transient ones are raised
    clip = rp.Clip(source="/nowhere/in.mp4")
    request = request_for(rp.RenderJob(reel=rp.Reel(clips=[clip]), output="/nowhere/out.mp4"))
    outcome = outcome_from_data(json.loads(Container().run(request, lambda _: None)))
    assert isinstance(outcome, rp.ReelprocError)
    assert not outcome.transient


def request_for(job: rp.RenderJob) -> str:
    request = ModalRequest(version=rp.__version__, id="j", job=job, preset="modal-cpu")
    return request.model_dump_json()


def test_13_a_short_clip_of_a_long_game_moves_little_of_it(s3: S3Service, tmp_path: Path) -> None:
    game = tmp_path / "game.mp4"
    rate = ["-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M", "-x264-params", "nal-hrd=cbr"]
    picture = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=40", "-c:v", "libx264", "-preset", "ultrafast"]
    run_ffmpeg(*picture, *rate, "-g", "60", "-pix_fmt", "yuv420p", str(game))
    assert game.stat().st_size > 2 * SMALL_BYTES
    compat.upload_to_r2_sync(USER, "games/game.mp4", game)

    s3.proxy.seen.clear()
    naive = storage.resolve(f"s3://{s3.bucket}/games/game.mp4", folder=tmp_path / "whole")  # whole
    assert naive.stat().st_size == game.stat().st_size <= s3.proxy.moved_bytes

    s3.proxy.seen.clear()
    result = done(compat.extract_clip, f"s3://{s3.bucket}", USER, "games/game.mp4", "clip.mp4", 20, 22)
    assert result["frames_processed"] == 60
    assert s3.proxy.moved_bytes < game.stat().st_size / 2


def test_16_cost_is_of_the_time_that_is_billed_and_not_of_the_wait(tmp_path: Path) -> None:
    rate = preset("modal-cpu").hardware.usd_per_second
    source = numbered_video(tmp_path / "in.mp4", frame_count=10)
    reel = rp.Reel(clips=[rp.Clip(source=source.path)], output=rp.Output(width=192, height=108))
    container = Container()
    container.run(request_for(rp.RenderJob(reel=reel, output=tmp_path / "warm.mp4")), lambda _: None)

    asked = time.monotonic()
    time.sleep(1.0)  # in the queue
    begun = time.monotonic()
    answer = container.run(request_for(rp.RenderJob(reel=reel, output=tmp_path / "out.mp4")), lambda _: None)
    naive, billed = ((time.monotonic() - since) * rate for since in (asked, begun))
    result = outcome_from_data(json.loads(answer))
    assert isinstance(result, RenderResult)
    assert naive - result.cost_usd >= 0.9 * rate, "a second of waiting, paid in a table only"
    assert 0 < result.cost_usd <= billed
    assert result.phases["startup"] == 0.0
    assert numbers(tmp_path / "out.mp4") == list(range(10))
