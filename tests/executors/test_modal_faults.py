"""What goes wrong on Modal, one fault after the other: the right typed error or the right result, in time."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpclib
import modal
import pytest

import reelproc as rp
from faulty_s3 import Fault
from loopback_modal import LoopbackModal
from media_factory import run_ffmpeg
from modal_service import LIVE, ModalService
from reelproc import storage
from reelproc.executors.modal.presets import PRESETS
from waiting import LONG

Code = grpclib.const.Status
pytestmark = [pytest.mark.skip(reason="breaks what only the loopback lets one break")] if LIVE else []


@pytest.fixture
def server(modal_service: ModalService) -> Iterator[LoopbackModal]:
    assert modal_service.server is not None
    yield modal_service.server
    modal_service.server.kill_next = 0


@pytest.fixture
def job(modal_service: ModalService) -> Any:
    own = uuid.uuid4().hex

    def make(behaviour: str) -> rp.RenderJob:
        clip = rp.Clip(source=modal_service.address(own, "game.mp4"), end=2)
        return rp.RenderJob(reel=rp.Reel(clips=[clip]), output=modal_service.address(own, f"{behaviour}.mp4"))

    return make


@pytest.fixture
def ex(modal_service: ModalService) -> Iterator[rp.Executor]:
    ex = rp.executor("modal-cpu")
    yield ex
    ex.close(cancel=True)


def hanging(ex: rp.Executor, job: Any, behaviour: str = "hang") -> rp.JobHandle:
    handle = ex.submit(job(behaviour))
    assert next(handle.events()).phase == "probe"
    return handle


def test_a_container_that_is_killed_once_costs_nothing_but_time(
    server: LoopbackModal, ex: rp.Executor, job: Any
) -> None:
    server.kill_next = 1
    assert ex.submit(job("ok")).result(LONG).frame_count == 60


def test_a_container_that_is_always_killed_is_a_lost_job(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    server.kill_next = 9
    handle = ex.submit(job("ok"))
    with pytest.raises(rp.JobLostError, match="submit it again") as caught:
        handle.result(LONG)
    assert caught.value.transient or handle.status() == "error"


def test_a_machine_that_is_taken_away_does_not_take_the_job(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = hanging(ex, job)
    server.kill_containers(signal.SIGKILL)
    assert handle.status() in ("queued", "running")
    handle.cancel()
    with pytest.raises(rp.JobCancelledError):
        handle.result(LONG)


def test_a_job_that_is_deaf_to_its_limit_is_interrupted(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = ex.submit(job("sleeps"), timeout=0.5)
    with pytest.raises(rp.JobTimeoutError, match=r"time limit of 0\.5 s"):
        handle.result(LONG)


def test_modals_own_limit_is_a_timeout(server: LoopbackModal, job: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """InputCancellation, then SIGINT, then SIGKILL: a job that swallows the first falls to the next."""
    short = PRESETS["modal-cpu"].model_copy(update={"timeout_seconds": 2})
    monkeypatch.setitem(PRESETS, "modal-cpu", short)
    with rp.executor("modal-cpu") as ex:
        handle = ex.submit(job("stubborn"))
        with pytest.raises(rp.JobTimeoutError, match="ended by Modal"):
            handle.result(LONG)


def test_a_job_cancelled_from_elsewhere_is_cancelled(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = hanging(ex, job)
    code = "import sys, reelproc as rp; rp.executor('modal-cpu').attach(sys.argv[1]).cancel()"
    subprocess.run([sys.executable, "-c", code, handle.id], check=True, timeout=LONG)
    with pytest.raises(rp.JobCancelledError):
        handle.result(LONG)


def test_cancelling_ends_the_jobs_children(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = hanging(ex, job)
    handle.cancel()
    with pytest.raises(rp.JobCancelledError):
        handle.result(LONG)
    assert server.running() == []


@pytest.mark.parametrize("rpc", ["FunctionMap", "FunctionGetOutputs", "DictGet", "DictUpdate"])
def test_a_moment_of_unavailability_is_not_noticed(rpc: str, server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    server.faults[rpc] += [Code.UNAVAILABLE, Code.UNAVAILABLE]
    assert ex.submit(job("ok")).result(LONG).frame_count == 60
    assert server.faults[rpc] == []


def test_a_limit_of_the_account_is_a_transient_error(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    server.faults["FunctionMap"] += [Code.RESOURCE_EXHAUSTED] * 20
    with pytest.raises(rp.ExecutorError, match="Modal cannot be asked") as caught:
        ex.submit(job("ok"))
    assert caught.value.transient
    server.faults.clear()
    assert ex.submit(job("ok")).result(LONG).frame_count == 60, "and leaves nothing in the way of another try"


def test_a_refused_token_says_so(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    server.faults["FunctionMap"] += [Code.UNAUTHENTICATED]
    with pytest.raises(rp.ExecutorError, match="modal token new"):
        ex.submit(job("ok"))


def test_lost_progress_does_not_lose_the_job(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = hanging(ex, job)
    server.run(server.state.dicts.clear)
    handle.cancel()
    with pytest.raises(rp.JobCancelledError):
        handle.result(LONG)
    again = rp.executor("modal-cpu")
    assert again.submit(job("ok")).result(LONG).frame_count == 60


def test_an_app_that_cannot_start_is_given_up(server: LoopbackModal, job: Any) -> None:
    def break_mounts() -> dict[str, Any]:
        kept = dict(server.state.files)
        server.state.files.update(dict.fromkeys(kept, b"raise RuntimeError('broken')"))
        return kept

    server.kill_containers()
    kept = server.run(break_mounts)
    try:
        with rp.executor("modal-l4", start_timeout=3.0) as ex:
            handle = ex.submit(job("ok"))
            with pytest.raises(rp.JobLostError, match="no container has begun"):
                handle.result(LONG)
    finally:
        server.run(lambda: server.state.files.update(kept))


def test_transient_errors_are_tried_again_and_others_are_not(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    before = len(server.state.inputs)
    for behaviour, attempts, kind in (("slow_down", 3, rp.StorageError), ("decode_error", 1, rp.DecodeError)):
        handle = ex.submit(job(behaviour))
        with pytest.raises(kind):
            handle.result(LONG)
        newest = max(server.state.inputs.values(), key=lambda one: int(one.id.split("-")[1]))
        assert newest.attempts == attempts
    assert len(server.state.inputs) == before + 2


def test_a_lost_dict_entry_of_an_expired_call_is_told(server: LoopbackModal, ex: rp.Executor, job: Any) -> None:
    handle = ex.submit(job("ok"))
    handle.result(LONG)
    server.run(lambda: [call.inputs.clear() for call in server.state.calls.values()])
    again = ex.attach(handle.id)
    assert again.status() == "expired"
    with pytest.raises(rp.JobLostError, match="no longer keeps"):
        again.result(LONG)


def test_the_client_library_raises_what_we_translate() -> None:
    names = (
        "FunctionTimeoutError",
        "RemoteError",
        "InternalFailure",
        "OutputExpiredError",
        "NotFoundError",
        "AuthError",
    )
    assert all(issubclass(getattr(modal.exception, name), modal.exception.Error) for name in names)


def test_storage_that_is_down_for_a_moment_in_the_middle_is_not_noticed(
    modal_service: ModalService, server: LoopbackModal, tmp_path: Path
) -> None:
    assert modal_service.storage is not None
    source, output = (modal_service.address(uuid.uuid4().hex, name) for name in ("game.mp4", "reel.mp4"))
    picture = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=3", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    run_ffmpeg(*picture, str(tmp_path / "game.mp4"))
    storage.publish(tmp_path / "game.mp4", source)
    faults = modal_service.storage.proxy.faults
    faults += [Fault("error", method="PUT", status=503, code="SlowDown", times=2), Fault("reset", query="game")]
    reel = rp.Reel(clips=[rp.Clip(source=source)], output=rp.Output(width=320, height=180))
    with rp.executor("modal-cpu") as ex:
        assert ex.submit(rp.RenderJob(reel=reel, output=output)).result(LONG).frame_count == 90
    assert not [fault for fault in faults if fault.kind == "error" and fault.times > 0], "it did happen"
    faults.clear()
