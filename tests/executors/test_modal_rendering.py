"""Real renders in containers: our app on the loopback Modal, storage over HTTP, results compared frame by frame."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import modal
import pytest

import reelproc as rp
from media_factory import run_ffmpeg
from modal_service import LIVE, ModalService
from people_factory import CHECKPOINT, BlobDetector, Person, people_video
from reelproc import storage
from reelproc.executors.modal.client import ModalExecutor
from reelproc.jobs import run_job
from reelproc.results import DetectResult
from waiting import LONG, eventually

pytestmark = [pytest.mark.skip(reason="looks inside the loopback")] if LIVE else []


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """25 s of moving picture and a tone."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    argv = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=25", "-f", "lavfi", "-i", "sine=d=25"]
    run_ffmpeg(*argv, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path))
    return path


@pytest.fixture
def source(game: Path, modal_service: ModalService) -> str:
    """The same in storage, under a name of the test's own."""
    address = modal_service.address(uuid.uuid4().hex, "game.mp4")
    storage.publish(game, address, keep=True)
    return address


def job_of(source: str | Path, output: str | Path, **options: object) -> rp.RenderJob:
    """Three segments, 750 frames, without loss: of lossy x264 two runs on a busy machine are not always equal."""
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100, y=10, width=90, height=160)])
    clip = rp.Clip(source=str(source), end=25.0, stages=[crop])
    reel = rp.Reel(clips=[clip], output=rp.Output(width=90, height=160, crf=0))
    return rp.RenderJob(reel=reel, output=str(output), **options)  # type: ignore[arg-type]


def frames(path: Path) -> list[bytes]:
    with rp.open_video(path) as video:
        return [frame.image.tobytes() for frame in video]


def fetched(address: str, folder: Path) -> Path:
    return storage.resolve(address, folder=folder)


@pytest.fixture(scope="module")
def expected(game: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The frames of the same job done here."""
    path = tmp_path_factory.mktemp("expected") / "reel.mp4"
    run_job(job_of(game, path))
    return frames(path)


def test_a_render_on_modal_equals_one_done_here(
    source: str, expected: list[bytes], modal_service: ModalService, tmp_path: Path
) -> None:
    output = source.replace("game.mp4", "reel.mp4")
    with rp.executor("modal-t4") as ex:
        handle = ex.submit(job_of(source, output))
        phases = [event.phase for event in handle.events()]
        result = handle.result(LONG)
    assert {"probe", "render", "done"} <= set(phases)
    assert result.output == output
    assert frames(fetched(output, tmp_path)) == expected
    assert (result.hardware, result.gpu, result.cores) == ("modal-t4", "T4", 4.0)
    assert result.cost_usd == pytest.approx(
        (result.phases["startup"] + result.phases["wall"]) * ex.hardware.usd_per_second, rel=0.5
    )
    assert {"startup", "download", "encode", "upload"} <= set(result.phases)
    assert result.cold_start is not None


def test_paths_of_this_machine_are_staged(
    game: Path, expected: list[bytes], modal_service: ModalService, tmp_path: Path
) -> None:
    output = tmp_path / "reel.mp4"
    with rp.executor("modal-cpu") as ex, pytest.raises(rp.SpecError, match="staging='s3://bucket/prefix'"):
        ex.submit(job_of(game, output))
    with rp.executor("modal-cpu", staging=modal_service.address("stage")) as ex:
        result = ex.submit(job_of(game, output)).result(LONG)
        assert result.output == str(output)
        assert frames(output) == expected
        output.unlink()
        again = ex.attach(f"render-{job_of(game, output).identity()}")
        assert again.result(LONG).output == str(output)
        assert output.exists(), "attach fetches the result, too"


def test_a_staged_result_is_fetched_when_it_is_asked_for_and_only_then(
    game: Path, modal_service: ModalService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    staging, name, output = modal_service.address(uuid.uuid4().hex), f"late-{uuid.uuid4().hex}", Path("reel.mp4")
    with rp.executor("modal-cpu", staging=staging) as ex:
        handle = ex.submit(job_of(game, output), id=name)
        assert eventually(lambda: handle.status() == "complete")
        assert [event.phase for event in handle.events()][-1] == "done"
        assert not output.exists()
    assert output.exists(), "the block waits for its jobs"
    made = output.read_bytes()
    output.write_text("edited since")
    monkeypatch.chdir(tmp_path)  # its path is still that in the folder of the caller
    with rp.executor("modal-cpu", staging=staging) as ex:
        again = ex.attach(name)  # type: ignore[attr-defined]
        assert again.status() == "complete"
        assert Path("here/reel.mp4").read_text() == "edited since"
        again.result(LONG)
        assert Path("here/reel.mp4").read_bytes() == made
        Path("here/reel.mp4").write_text("edited again")
        again.result(LONG)
        assert Path("here/reel.mp4").read_text() == "edited again", "a handle fetches once"


def test_a_staged_result_that_has_expired_is_made_again(
    game: Path, expected: list[bytes], modal_service: ModalService, tmp_path: Path
) -> None:
    staging, name, output = modal_service.address(uuid.uuid4().hex), f"gone-{uuid.uuid4().hex}", tmp_path / "reel.mp4"
    with rp.executor("modal-cpu", staging=staging) as ex:
        first = ex.submit(job_of(game, output), id=name)
        first.result(LONG)
        storage.remove(f"{staging}/outputs/{name}/reel.mp4")
        output.unlink()
        late = ex.attach(name)  # type: ignore[attr-defined]
        with pytest.raises(rp.JobLostError, match="submit the job again"):
            late.result(LONG)
        assert (late.status(), late.wait(LONG).status) == ("complete", "expired")
        ex.submit(job_of(game, output), id=name).result(LONG)
        assert frames(output) == expected


def test_a_staged_result_has_the_callers_name_whatever_is_in_it(modal_service: ModalService, tmp_path: Path) -> None:
    source, output = tmp_path / "half?.mp4#1", tmp_path / "goal#1?.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=25", "-pix_fmt", "yuv420p", str(tmp_path / "made.mp4"))
    (tmp_path / "made.mp4").rename(source)
    with rp.executor("modal-cpu", staging=modal_service.address("stage")) as ex:
        handle = ex.submit(job_of(source, output))
        said = " ".join(event.message for event in handle.events())
        assert handle.result(LONG).output == str(output)
    assert output.exists()
    assert "s3://" not in said


def test_a_staged_job_speaks_of_the_callers_paths(modal_service: ModalService, tmp_path: Path) -> None:
    source = tmp_path / "notes.mp4"
    source.write_text("no video")
    with rp.executor("modal-cpu", staging=modal_service.address("stage")) as ex:
        handle = ex.submit(job_of(source, tmp_path / "reel.mp4"))
        said = " ".join(event.message for event in handle.events())
        with pytest.raises(rp.ProbeError) as caught:
            handle.result(LONG)
        elsewhere = rp.executor("modal-cpu").attach(handle.id)
        with pytest.raises(rp.ProbeError) as again:
            elsewhere.result(LONG)
    assert str(source) in said
    assert str(source) in str(caught.value)
    assert str(caught.value) == str(again.value)
    assert "s3://" not in said + str(caught.value) + " ".join(caught.value.argv) + caught.value.stderr_tail


@pytest.mark.parametrize("staged", [False, True])
def test_players_are_looked_for_in_a_container(
    staged: bool, modal_service: ModalService, tmp_path: Path, blobs: BlobDetector
) -> None:
    game, model = tmp_path / "game.mp4", tmp_path / "mine.pt"
    people_video(game, [Person(lambda t: 100 + 60 * t, lambda t: 180, colour="#c02020")], seconds=2)
    model.write_bytes(CHECKPOINT)
    here = rp.detect_players(game, times=[1.5], model=model, backend="blobs")
    source, checkpoint = str(game), str(model)
    if not staged:
        source, checkpoint = (modal_service.address(uuid.uuid4().hex, path.name) for path in (game, model))
        storage.publish(game, source)
        storage.publish(model, checkpoint)
    job = rp.DetectJob(source=source, times=[1.5], model=checkpoint, backend="blobs")
    staging = modal_service.address("stage") if staged else None
    with rp.executor("modal-t4", staging=staging) as ex:
        result = ex.submit(job).result(LONG)
    assert isinstance(result, DetectResult)
    assert result.frames == here.frames
    assert len(result.frames[0].detections) == 1
    assert (result.source, result.model, result.hardware) == (source, checkpoint, "modal-t4")


def test_a_checkpoint_of_this_machine_is_not_looked_for_on_modal(source: str, tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(CHECKPOINT)
    job = rp.DetectJob(source=source, times=[1], model=tmp_path / "mine.pt", backend="blobs")
    with rp.executor("modal-t4") as ex, pytest.raises(rp.SpecError, match=r"mine\.pt' is a path of this machine"):
        ex.submit(job)


def test_a_client_that_is_killed_loses_nothing(
    source: str, expected: list[bytes], modal_service: ModalService, tmp_path: Path
) -> None:
    output, name = source.replace("game.mp4", "reel.mp4"), f"killed-{uuid.uuid4().hex}"
    reel = tmp_path / "reel.json"
    reel.write_text(job_of(source, output).reel.model_dump_json())
    cli = [sys.executable, "-c", "from reelproc.cli import main; main()"]
    argv = [*cli, "render", str(reel), output, "--executor", "modal-t4", "--id", name]
    client = subprocess.Popen(argv, stderr=subprocess.PIPE, text=True)
    try:
        assert client.stderr is not None
        assert f"reelproc attach {name} --executor modal-t4" in client.stderr.readline()
        assert modal_service.server is not None
        assert eventually(modal_service.server.running)
    finally:
        os.kill(client.pid, signal.SIGKILL)
        client.communicate()
    argv = [*cli, "attach", name, "--executor", "modal-t4", "--json"]
    answer = subprocess.run(argv, capture_output=True, text=True, timeout=LONG, check=False)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["output"] == output
    assert frames(fetched(output, tmp_path)) == expected


def test_fonts_are_shipped_with_the_app(modal_service: ModalService) -> None:
    server = modal_service.server
    assert server is not None
    shipped = {file.filename for files in server.state.mounts.values() for file in files}
    assert "/root/reelproc/drawing/fonts/NotoSans-Variable.ttf" in shipped
    assert not [name for name in shipped if "__pycache__" in name]


def test_presets_are_what_they_say(source: str, modal_service: ModalService) -> None:
    server = modal_service.server
    assert server is not None
    for name, gpu, milli, memory, limit in (
        ("modal-t4", "T4", 4000, 16384, 3600),
        ("modal-l4", "L4", 4000, 16384, 3600),
        ("modal-cpu", "", 4000, 8192, 7200),
    ):
        server.run(server.state.bound.clear)
        with rp.executor(name) as ex:
            ex.submit(job_of(source, source.replace("game", f"ok.{name}"))).result(LONG)
        (bound,) = server.state.bound
        resources = bound.function_options.resources
        assert resources.gpu_config.gpu_type == gpu
        assert (resources.milli_cpu, resources.memory_mb) == (milli, memory)
        assert bound.function_options.timeout_secs == limit


def test_a_client_of_another_version_is_refused(
    source: str, modal_service: ModalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelproc.executors.modal.client.__version__", "9.9.9")
    with rp.executor("modal-cpu") as ex:
        handle = ex.submit(job_of(source, source.replace("game", "reel")))
        with pytest.raises(rp.ExecutorError, match=r"client is reelproc 9\.9\.9; deploy the client's") as caught:
            handle.result(LONG)
    assert not caught.value.transient


def test_work_is_done_in_the_container(source: str, modal_service: ModalService) -> None:
    with rp.executor("modal-cpu") as ex:
        result = ex.submit(job_of(source, source.replace("game", "whoami"))).result(LONG)
    assert modal_service.server is not None
    assert int(result.warnings[0]) in modal_service.server.container_pids()


def test_a_spec_of_megabytes_goes_through_blobs(source: str, modal_service: ModalService) -> None:
    keyframes = [rp.CropKeyframe(time=n / 2000, x=100 + n % 7, y=10, width=90, height=160) for n in range(40_000)]
    clip = rp.Clip(source=source, end=1.0, stages=[rp.Crop(keyframes=keyframes)])
    job = rp.RenderJob(reel=rp.Reel(clips=[clip]), output=source.replace("game", "ok"))
    assert len(job.model_dump_json()) > 2 << 20
    with rp.executor("modal-cpu") as ex:
        assert ex.submit(job).result(LONG).frame_count == 60
    assert modal_service.server is not None
    assert modal_service.server.seen["BlobCreate"] > 0


def test_modal_is_not_asked_for_an_app_that_is_not_there(source: str, modal_service: ModalService) -> None:
    with ModalExecutor(name="modal-cpu", app="nobody") as ex:
        with pytest.raises(rp.ExecutorError, match="reelproc modal deploy"):
            ex.submit(job_of(source, source.replace("game", "reel")))


def test_the_client_library_is_the_pinned_one() -> None:
    assert modal.__version__ == "1.6.4", "another version may speak otherwise: see loopback_modal/README.md"


# ---- chunks


def test_a_render_in_chunks_equals_one_in_one_piece(
    source: str, expected: list[bytes], modal_service: ModalService, tmp_path: Path
) -> None:
    output = source.replace("game", "reel")
    server = modal_service.server
    assert server is not None
    server.run(server.state.bound.clear)
    with rp.executor("modal-t4") as ex:
        handle = ex.submit(job_of(source, output, chunks=3))
        events = list(handle.events())
        result = handle.result(LONG)
    assert frames(fetched(output, tmp_path)) == expected
    assert any("3 chunks" in event.message for event in events)
    kinds = [bound.function_options.resources.gpu_config.gpu_type for bound in server.state.bound]
    assert kinds == ["", "T4"], "a container without GPU puts together what others have made on T4s"
    assert result.gpu == "T4"
    assert result.cost_usd > result.phases["wall"] * ex.hardware.usd_per_second / 10
    assert modal_service.storage is not None
    left = modal_service.storage.keys()
    folder = source.split("/")[3]
    assert sorted(key for key in left if key.startswith(folder)) == [f"{folder}/game.mp4", f"{folder}/reel.mp4"]


def test_chunks_overlap_in_time(source: str, modal_service: ModalService) -> None:
    most = 0
    server = modal_service.server
    assert server is not None
    with rp.executor("modal-cpu") as ex:
        job = job_of(source, source.replace("game", "reel"), chunks=3)
        large = job.reel.model_copy(update={"output": rp.Output(width=360, height=640)})  # so that it takes a while
        handle = ex.submit(job.model_copy(update={"reel": large}))
        while not handle.poll(None, 0.02).ended:
            most = max(most, len(server.running()))
    assert most >= 3, "the coordinator and at least two chunks at a time"


def test_one_failing_chunk_fails_the_job_and_ends_the_others(source: str, modal_service: ModalService) -> None:
    address = source.replace("game.mp4", "cut.mp4")
    whole = fetched(source, Path(os.environ["REELPROC_HOME"]))
    cut = whole.with_name("cut.mp4")
    data = bytearray(whole.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = bytes(20_000)
    cut.write_bytes(data)
    storage.publish(cut, address)
    with rp.executor("modal-cpu") as ex:
        handle = ex.submit(job_of(address, source.replace("game", "reel"), chunks=3))
        with pytest.raises(rp.DecodeError):
            handle.result(LONG)
    assert modal_service.server is not None
    assert eventually(lambda: not modal_service.server.running())  # type: ignore[union-attr]


def test_a_job_whose_container_dies_goes_on_from_its_finished_segments(
    source: str, modal_service: ModalService
) -> None:
    server, shelf = modal_service.server, modal_service.storage
    assert server is not None
    assert shelf is not None
    server.kill_containers()  # those that the test before cancelled may still be on their way out
    shelf.proxy.seen.clear()
    folder = source.split("/")[3]

    def kept() -> list[str]:
        keys = shelf.keys()
        return [key for key in keys if key.startswith(f"{folder}/.reelproc-segments/") and key.endswith(".json")]

    job = job_of(source, source.replace("game", "reel"))
    slow = job.reel.model_copy(update={"output": rp.Output(width=720, height=1280)})
    with rp.executor("modal-cpu") as ex:
        handle = ex.submit(job.model_copy(update={"reel": slow}))
        assert eventually(kept), "a segment is finished and kept"
        server.kill_containers()
        assert handle.result(LONG).frame_count == 750
    puts = [seen.path for seen in shelf.proxy.seen if seen.method == "PUT" and seen.path.endswith(".mp4")]
    segments = [path for path in puts if ".reelproc-segments" in path]
    assert len(segments) == len(set(segments)) == 3, "none was made twice"
